defmodule LoomkinAuth.App do
  @moduledoc false
  # An instance in a folder of its own.

  import ExUnit.Callbacks, only: [on_exit: 1, start_supervised!: 1]

  alias LoomkinAuth.{DevProvider, Secret}

  @key "a test needs no better key than this one"

  # Starts an instance whose provider `dev` is at `issuer`, and returns its name.
  def start(issuer, options \\ []) do
    name = :"auth_#{System.unique_integer([:positive])}"
    start_supervised!({LoomkinAuth, options(issuer, name, options)})
    name
  end

  def options(issuer, name, options \\ []) do
    folder =
      Path.join(System.tmp_dir!(), "loomkin-auth-#{System.unique_integer([:positive])}-#{System.pid()}")

    File.mkdir_p!(folder)
    on_exit(fn -> File.rm_rf!(folder) end)
    config = Path.join(folder, ".loomkin.toml")
    File.write!(config, config(issuer))
    environment = %{"HOME" => folder, "STORE_KEY" => @key, "DISPLAY" => ":0"}
    Keyword.merge([name: name, config: config, environment: environment, renew_ahead: false], options)
  end

  # Logs `account` in by the loopback flow; the person agrees at once.
  def log_in(auth, account \\ "dev", options \\ []) do
    login = LoomkinAuth.connect!(auth, account, Keyword.put(options, :flow, :loopback))
    visitor = Task.async(fn -> DevProvider.visit(Secret.expose(login.authorization_url)) end)
    connected = LoomkinAuth.await!(login)
    Task.await(visitor)
    connected
  end

  # Logs `account` in with a token that lasts a second, and lets that pass.
  def log_in_expired(auth, issuer, account \\ "dev") do
    DevProvider.put(issuer, "access-token-lifetime", ~s({"seconds": 1, "times": 1}))
    %{expires_at: ends} = log_in(auth, account)
    # The clock is what is waited for.
    ends |> DateTime.diff(DateTime.utc_now(), :millisecond) |> max(0) |> Process.sleep()
  end

  defp config(issuer) do
    """
    [auth]
    callback_base_url = "http://127.0.0.1:1"

    [auth.store]
    path = "store/auth.db"
    key = "env:STORE_KEY"

    [auth.dev]
    issuer = "#{issuer}"
    client_id = "dev-client"
    scopes = ["openid", "offline_access"]

    [auth.openai]
    """
  end
end
