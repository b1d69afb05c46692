defmodule LoomkinAuth.Native do
  @moduledoc false
  # One stub for each function of native/loomkin_auth_nif; those with a tag answer by message, see `LoomkinAuth.Call`.

  @compile {:autoload, false}
  @on_load :load

  @functions [
    # Instances
    open: [:tag, :config, :variables, :directory, :renew_ahead],
    close: [:tag, :handle],
    version: [],
    # Tokens
    fresh_token: [:handle, :owner, :account],
    access_token: [:tag, :handle, :owner, :account],
    renew_rejected: [:tag, :handle, :owner, :account, :rejected],
    # Accounts
    status: [:tag, :handle, :owner],
    disconnect: [:tag, :handle, :owner, :account, :local],
    disconnect_all: [:tag, :handle, :owner, :local],
    use_provider: [:tag, :handle, :owner, :account],
    use_none: [:tag, :handle, :owner],
    active: [:tag, :handle, :owner],
    me: [:tag, :handle, :owner],
    # Credentials
    set_key: [:tag, :handle, :account, :kind, :secret, :replace],
    remove_key: [:tag, :handle, :owner, :account, :kind],
    resolve: [:tag, :handle, :owner, :name],
    # Logins
    connect: [:tag, :handle, :account, :flow, :scopes, :timeout],
    open_browser: [:tag, :login],
    await_login: [:tag, :login],
    finish_login: [:tag, :login, :pasted],
    cancel_login: [:tag, :login],
    begin_hosted: [:tag, :handle, :owner, :account, :scopes, :timeout],
    finish_hosted: [:tag, :handle, :owner, :provider, :query, :cookies],
    cancel_hosted: [:tag, :handle, :owner, :id],
    # Events
    subscribe: [:tag, :handle, :owner],
    unsubscribe: [:subscription],
    # Texts
    redact: [:text],
    redact_long: [:text],
    # Calls
    cancel_call: [:call]
  ]

  # Faults on purpose, and single conversions
  @testing [
    panic_at_once: [],
    panic_in_a_task: [:tag],
    wait_for_ever: [:tag],
    event_from_text: [:tag, :name, :detail],
    running_tasks: []
  ]

  for {name, arguments} <- @functions ++ if(Mix.env() == :test, do: @testing, else: []) do
    variables = Enum.map(arguments, &Macro.var(:"_#{&1}", __MODULE__))
    def unquote(name)(unquote_splicing(variables)), do: :erlang.nif_error(missing())
  end

  # A library that is not there leaves the stubs, which say what to do. One that cannot take the place of the one in use
  # leaves the old code: it goes on working.
  def load do
    case :erlang.load_nif(path(), 0) do
      {:error, {reason, _}} = refused when reason in [:reload, :upgrade] -> refused
      _ -> :ok
    end
  end

  defp path do
    :loomkin_auth |> :code.priv_dir() |> priv() |> Path.join("loomkin_auth_nif") |> String.to_charlist()
  end

  defp priv({:error, :bad_name}), do: "priv"
  defp priv(directory), do: directory

  # What a function says without its library.
  def missing do
    LoomkinAuth.Error.new(
      :config_invalid,
      "the native library of loomkin_auth is missing, or was built from another version",
      "Run `mix deps.compile loomkin_auth --force`, in this project itself `mix compile --force`."
    )
  end
end
