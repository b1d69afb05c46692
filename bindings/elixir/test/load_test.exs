defmodule LoomkinAuth.LoadTest do
  # By itself, because it counts what all of the library does.
  use ExUnit.Case, async: false

  alias LoomkinAuth.{App, DevProvider, Native, Patience, Token}

  @callers 10_000

  setup do
    issuer = DevProvider.start()
    %{auth: App.start(issuer), issuer: issuer}
  end

  @tag timeout: 180_000
  test "of 10,000 processes that ask for the same expired token, one refreshes it", %{
    auth: auth,
    issuer: issuer
  } do
    App.log_in_expired(auth, issuer)
    quiet = Patience.settled(&Native.running_tasks/0)
    DevProvider.put(issuer, "hold", ~s({"endpoint": "token", "moment": "before_answering"}))
    monitor_schedulers()
    parent = self()

    callers =
      for _ <- 1..@callers do
        spawn_monitor(fn ->
          {:ok, token} = LoomkinAuth.access_token(auth, "dev")
          send(parent, {:token, :erlang.phash2(Token.expose(token))})
        end)
      end

    # All of them wait for the one request that the server holds.
    assert DevProvider.get(issuer, "hold?wait_for=1") =~ ~s("arrived":1)
    Patience.until(fn -> Native.running_tasks() >= quiet + @callers end)
    DevProvider.put(issuer, "release")

    tokens = for _ <- callers, do: receive(do: ({:token, token} -> token))
    for {_, monitor} <- callers, do: assert_receive({:DOWN, ^monitor, _, _, :normal}, 10_000)

    assert [_] = Enum.uniq(tokens)
    assert DevProvider.refreshes(issuer) == 1

    # A scheduler that the operating system takes from its core looks blocked as well, on a busy machine for many of them; what
    # we block, we block in every call.
    blocked = MapSet.new(blocked_processes())
    assert Enum.count(callers, fn {caller, _} -> caller in blocked end) < @callers / 2
    # What the calls took is given back.
    Patience.until(fn -> Native.running_tasks() <= quiet + 1 end)
  end

  @tag timeout: 180_000
  test "what is asked for a hundred thousand times keeps no memory", %{auth: auth} do
    App.log_in(auth)
    ask = fn -> Enum.each(1..25_000, fn _ -> {:ok, _} = LoomkinAuth.access_token(auth, "dev") end) end
    in_a_process(ask)
    before = resident()
    for _ <- 1..4, do: in_a_process(ask)
    assert resident() - before < 64 * 1024, "in KiB"
  end

  test "the death of a subscriber ends its subscription", %{auth: auth} do
    parent = self()
    quiet = Patience.settled(&Native.running_tasks/0)

    {listener, monitor} =
      spawn_monitor(fn ->
        LoomkinAuth.subscribe!(auth)
        send(parent, :listening)
        Process.sleep(:infinity)
      end)

    assert_receive :listening, 5_000
    # Letting go of what `subscribe` gave back ends nothing.
    :erlang.garbage_collect(listener)
    Patience.until(fn -> Native.running_tasks() >= quiet + 2 end)
    Process.exit(listener, :kill)
    assert_receive {:DOWN, ^monitor, _, _, :killed}
    Patience.until(fn -> Native.running_tasks() <= quiet end)
  end

  test "callers that are killed leave no task behind" do
    quiet = Patience.settled(&Native.running_tasks/0)
    callers = for _ <- 1..100, do: spawn(fn -> LoomkinAuth.Call.run(:infinity, &Native.wait_for_ever/1) end)
    Patience.until(fn -> Native.running_tasks() >= quiet + 100 end)
    Enum.each(callers, &Process.exit(&1, :kill))
    Patience.until(fn -> Native.running_tasks() <= quiet end)
  end

  defp in_a_process(work), do: work |> Task.async() |> Task.await(:infinity)

  # In KiB.
  defp resident do
    [_, kib] = Regex.run(~r/VmRSS:\s+(\d+) kB/, File.read!("/proc/self/status"))
    String.to_integer(kib)
  end

  defp monitor_schedulers do
    watcher = spawn_link(fn -> watch([]) end)
    Process.register(watcher, :scheduler_watcher)
    :erlang.system_monitor(watcher, [{:long_schedule, 1}])
  end

  # Those that held a scheduler for more than a millisecond without a pause.
  defp blocked_processes do
    :erlang.system_monitor(:undefined)
    send(:scheduler_watcher, {:report, self()})
    receive(do: ({:blocked, processes} -> processes))
  end

  defp watch(processes) do
    receive do
      {:monitor, process, :long_schedule, _} -> watch([process | processes])
      {:report, asking} -> send(asking, {:blocked, processes})
    end
  end
end
