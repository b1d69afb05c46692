defmodule LoomkinAuth.SecretsTest do
  use ExUnit.Case, async: true

  alias LoomkinAuth.{App, DevProvider, LogFilter, Secret, Token}

  setup do
    issuer = DevProvider.start()
    %{auth: App.start(issuer), issuer: issuer}
  end

  test "no struct shows a secret, in Elixir's form or in Erlang's", %{auth: auth} do
    hosted = LoomkinAuth.begin_hosted!(auth, "dev")
    device = LoomkinAuth.connect!(auth, "dev", flow: :device)
    loopback = LoomkinAuth.connect!(auth, "dev", flow: :loopback)
    connected = App.log_in(auth)
    token = LoomkinAuth.access_token!(auth, "dev")
    LoomkinAuth.set_key!(auth, "openai", "sk-canary-0123456789")
    resolution = LoomkinAuth.resolve!(auth, "openai")
    error = elem(LoomkinAuth.access_token(auth, "nobody"), 1)

    secrets = [
      Token.expose(token),
      "sk-canary-0123456789"
      | for secret <- [
              hosted.authorization_url,
              hosted.cookie.value,
              device.authorization_url,
              device.device.user_code,
              loopback.authorization_url
            ] do
          Secret.expose(secret)
        end
    ]

    values = [hosted, device, loopback, connected, token, resolution, error, LoomkinAuth.status!(auth)]

    for value <- values, secret <- secrets do
      refute inspect(value, limit: :infinity, printable_limit: :infinity, structs: true) =~ secret
      refute inspect(value, structs: false, limit: :infinity, printable_limit: :infinity) =~ secret
      refute to_string(:io_lib.format("~tp", [value])) =~ secret
    end

    for value <- [connected, LoomkinAuth.me!(auth), LoomkinAuth.status!(auth)] do
      refute inspect(value) =~ "ada", "what identifies the person is left out"
    end
  end

  test "a stack trace has no arguments of a refused call" do
    {:ok, handle} = LoomkinAuth.Instance.handle(App.start("http://127.0.0.1:1"))

    try do
      # A number where a text belongs.
      LoomkinAuth.Call.run(
        :infinity,
        &LoomkinAuth.Native.finish_hosted(&1, handle, 7, "dev", "canary-q", "canary-c")
      )

      flunk("it was not refused")
    rescue
      error in ArgumentError -> refute Exception.format(:error, error, __STACKTRACE__) =~ "canary"
    end
  end

  test "a supervisor's report has no environment" do
    options = App.options("http://127.0.0.1:1", :reported)
    child = LoomkinAuth.child_spec(options)
    refute inspect(child, limit: :infinity, printable_limit: :infinity) =~ "a test needs"
  end

  test "a configuration with problems does not start, and says all of them" do
    options = App.options("http://127.0.0.1:1", :mistaken)

    File.write!(
      options[:config],
      "[auth.github]\nclient_idd = \"x\"\ntoken_url = \"http://github.example/token\"\n"
    )

    Process.flag(:trap_exit, true)
    assert {:error, error} = LoomkinAuth.start_link(options)
    assert %LoomkinAuth.Error{code: :config_invalid, details: details} = error
    text = Enum.join(details, "\n")
    assert text =~ "client_idd" and text =~ ":2:1"
  end

  test "the filter masks texts, formats and reports, and leaves the rest as it was" do
    filter = fn message -> LogFilter.filter(%{level: :info, meta: %{}, msg: message}, []).msg end

    assert {:string, "Authorization: Bearer [redacted]"} =
             filter.({:string, ["Authorization: Bearer ", "abcdefghijklmnop"]})

    assert {:string, "access_token=[redacted]"} = filter.({~c"~ts", ["access_token=abcdefghijklmnop"]})
    assert {:string, "nothing to see"} = filter.({:string, "nothing to see"})

    report = %{
      label: {:gen_server, :terminate},
      pid: self(),
      headers: [{"authorization", "Bearer abcdefghijklmnop"}],
      password: "hunter2",
      reason: {:badmatch, "access_token=abcdefghijklmnop"},
      improper: ["a" | "b"]
    }

    assert {:report, masked} = filter.({:report, report})
    refute inspect(masked) =~ "abcdefghijklmnop" or inspect(masked) =~ "hunter2"
    assert masked.label == report.label and masked.pid == self() and masked.improper == ["a" | "b"]
    assert masked.reason == {:badmatch, "access_token=[redacted]"}
  end

  test "a message that cannot be read is masked wholly, and bytes that are no text pass beside what is masked" do
    filter = fn message -> LogFilter.filter(%{level: :info, meta: %{}, msg: message}, []).msg end

    assert {:string, "[redacted]: this message could not be read"} =
             filter.({~c"~d", ["access_token=abcdefghijklmnop"]})

    assert {:string, "[redacted]: this message could not be read"} = filter.({:string, ["a secret", <<255>>]})

    assert {:report, %{body: <<255, "access_token=[redacted]">>}} =
             filter.({:report, %{body: <<255, "access_token=abcdefghijklmnop">>}})
  end

  test "a text of any length is masked" do
    long = String.duplicate("x ", 10_000) <> "access_token=abcdefghijklmnop"
    assert LogFilter.redact(long) =~ ~r/access_token=\[redacted\]$/
  end
end
