defmodule LoomkinAuth.CallsTest do
  use ExUnit.Case, async: true

  alias LoomkinAuth.{App, Call, DevProvider, Error, Event, Native}

  test "a panic in a task is an answer" do
    assert {:error, %Error{code: :unavailable, message: message}} =
             Call.run(:infinity, &Native.panic_in_a_task/1)

    assert message =~ "broken off"
  end

  test "a panic on a scheduler is an exception, and the next call works" do
    assert_raise ErlangError, fn -> Native.panic_at_once() end
    assert is_binary(Native.version())
  end

  test "after the timeout nothing is delivered any more" do
    assert {:error, %Error{code: :unavailable}} = Call.run(0, &Native.wait_for_ever/1)
    assert {:message_queue_len, 0} = Process.info(self(), :message_queue_len)
  end

  test "of an answer and a timeout that meet, one counts, and no answer is left behind" do
    for _ <- 1..1000 do
      case Call.run(0, &Native.event_from_text(&1, "refreshed", nil)) do
        {:ok, %Event{event: :refreshed}} -> :ok
        {:error, %Error{code: :unavailable}} -> :ok
      end
    end

    assert {:message_queue_len, 0} = Process.info(self(), :message_queue_len)
  end

  test "a caller that is killed ends its waiting, and a refresh in flight goes on" do
    issuer = DevProvider.start()
    auth = App.start(issuer)
    App.log_in_expired(auth, issuer)
    DevProvider.put(issuer, "hold", ~s({"endpoint": "token", "moment": "before_answering"}))

    callers = for _ <- 1..20, do: spawn(fn -> LoomkinAuth.access_token(auth, "dev") end)
    assert DevProvider.get(issuer, "hold?wait_for=1") =~ ~s("arrived":1)
    monitors = for caller <- callers, do: Process.monitor(caller)
    Enum.each(callers, &Process.exit(&1, :kill))
    for monitor <- monitors, do: assert_receive({:DOWN, ^monitor, _, _, :killed})
    DevProvider.put(issuer, "release")

    assert {:ok, _} = LoomkinAuth.access_token(auth, "dev")
    assert DevProvider.refreshes(issuer) == 1
  end

  test "callers are killed in the middle of every call, and the instance goes on" do
    issuer = DevProvider.start()
    auth = App.start(issuer)
    App.log_in(auth, "dev")

    calls = [
      &LoomkinAuth.access_token(&1, "dev"),
      &LoomkinAuth.status/1,
      &LoomkinAuth.active/1,
      &LoomkinAuth.me/1,
      &LoomkinAuth.use_provider(&1, "dev"),
      &LoomkinAuth.set_key(&1, "openai", "sk-0123456789"),
      &LoomkinAuth.remove_key(&1, "openai"),
      &LoomkinAuth.resolve(&1, "dev"),
      &LoomkinAuth.connect(&1, "dev", flow: :loopback),
      &LoomkinAuth.begin_hosted(&1, "dev"),
      &LoomkinAuth.subscribe/1,
      &with({:ok, login} <- LoomkinAuth.connect(&1, "dev", flow: :loopback), do: LoomkinAuth.await(login))
    ]

    for call <- calls, spins <- [0, 100, 10_000] do
      {caller, monitor} = spawn_monitor(fn -> call.(auth) end)
      # Killed at different depths; whichever it is, nothing may break.
      Enum.each(1..(spins + 1), fn _ -> :erlang.yield() end)
      Process.exit(caller, :kill)
      assert_receive {:DOWN, ^monitor, _, _, _}
    end

    assert {:ok, _} = LoomkinAuth.access_token(auth, "dev")
    assert {:ok, [_ | _]} = LoomkinAuth.status(auth)
  end

  test "wrong arguments are refused in words" do
    auth = App.start("http://127.0.0.1:1")

    for {call, words} <- [
          {&LoomkinAuth.access_token(&1, :github), "an account must be a string"},
          {&LoomkinAuth.access_token(&1, <<255>>), "an account must be a string"},
          {&LoomkinAuth.access_token(&1, "Git Hub"), "provider's name"},
          {&LoomkinAuth.access_token(&1, "me"), "no provider may be called"},
          {&LoomkinAuth.access_token(&1, "dev", owner: 7), "owner: must be a string"},
          {&LoomkinAuth.access_token(&1, "dev", owner: ""), "owner's id"},
          {&LoomkinAuth.access_token(&1, "dev", ower: "7"), "unknown option :ower"},
          {&LoomkinAuth.access_token(&1, "dev", timeout: -1), "timeout: must be"},
          {&LoomkinAuth.access_token(&1, "dev", %{}), "keyword list"},
          {&LoomkinAuth.set_key(&1, "openai", :key), "the key must be a string"},
          {&LoomkinAuth.connect(&1, "dev", scopes: "repo"), "scopes: must be"},
          {&LoomkinAuth.connect(&1, "dev", patience: "long"), "patience: must be"},
          {&LoomkinAuth.connect(&1, "dev", flow: :carrier_pigeon), "no flow"},
          {&LoomkinAuth.connect(&1, "nobody"), "no provider `nobody` is configured"}
        ] do
      assert {:error, %Error{code: :usage, message: message, advice: advice}} = call.(auth)
      assert message =~ words
      assert advice =~ ~r/^[A-Z].*[.]$/s
    end

    assert_raise Error, ~r/usage: /, fn -> LoomkinAuth.access_token!(auth, "Git Hub") end
  end

  test "no name that comes in becomes an atom" do
    auth = App.start("http://127.0.0.1:1")
    ask = fn n -> LoomkinAuth.access_token(auth, "provider-#{n}", owner: "owner-#{n}") end
    ask.(0)
    before = :erlang.system_info(:atom_count)
    for n <- 1..200, do: assert({:error, %Error{}} = ask.(n))
    assert :erlang.system_info(:atom_count) - before < 200
  end
end
