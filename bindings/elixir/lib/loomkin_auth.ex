defmodule LoomkinAuth do
  @moduledoc """
  Subscription auth that never logs its users out.

  A person connects an account once; from then on `access_token/3` gives a token that is good now: from memory while it is
  fresh, else from one refresh, however many processes, nodes and programs ask.

      children = [
        {LoomkinAuth, name: MyApp.Auth, config: ".loomkin.toml"}
      ]

      {:ok, token} = LoomkinAuth.access_token(MyApp.Auth, "github", owner: user.id)
      headers = [{"authorization", LoomkinAuth.Token.authorization(token)}]

  An account is written `"github"` or `"github/work"`. Every function takes `owner:`, the app's user, a string (`"local"`
  for tools of one person), and `timeout:` in milliseconds, after which the answer is not waited for any more; a refresh in
  flight goes on. A call whose caller dies ends with it, and nothing else does.

  Functions return `{:ok, value}` or `{:error, %LoomkinAuth.Error{}}`; those with `!` return the value or raise the error.
  """

  alias LoomkinAuth.{
    Arguments,
    Call,
    Connected,
    Disconnected,
    Error,
    HostedLogin,
    Instance,
    Me,
    Native,
    PendingLogin
  }

  alias LoomkinAuth.{Resolution, Secret, Status, Token}

  @typedoc "The name of an instance."
  @type auth :: atom

  @typedoc "`\"provider\"` or `\"provider/account\"`."
  @type account :: String.t()

  @typedoc "`owner:` and `timeout:`, and what the function names besides."
  @type options :: keyword

  @typedoc "A subscription, for `unsubscribe/1`."
  @opaque subscription :: reference

  @doc """
  An instance as a child of a supervisor.

    * `:name` – what to call it by; `LoomkinAuth` unless told otherwise. Several can run side by side.
    * `:config` – the configuration file; without it the one that is found from the working directory.
    * `:renew_ahead` – whether tokens are renewed before anybody has to wait; `true` unless told otherwise.
    * `:environment` – the variables that the configuration may use, as a map or a function that returns one;
      `System.get_env/0` unless told otherwise.

  It does not start with a configuration that has problems: the error has all of them in its `details`.

      iex> LoomkinAuth.child_spec(name: MyApp.Auth).id
      MyApp.Auth
  """
  @spec child_spec(keyword) :: Supervisor.child_spec()
  def child_spec(options) do
    %{
      id: Keyword.get(options, :name, __MODULE__),
      start: {__MODULE__, :start_link, [Instance.opaque(options)]},
      # What is on its way into the store is waited for, for ten seconds.
      shutdown: 15_000
    }
  end

  @doc "Starts an instance; see `child_spec/1`."
  @spec start_link(keyword) :: GenServer.on_start()
  def start_link(options \\ []), do: options |> Instance.opaque() |> Instance.start_link()

  @doc """
  A token that is good for at least the configured margin, refreshed if need be. An account without a connection has its
  stored key. The environment and the configuration are not looked at: that is for `resolve/3`.
  """
  @spec access_token(auth, account, options) :: {:ok, Token.t()} | {:error, Error.t()}
  def access_token(auth, account, options \\ []) do
    with {:ok, handle, options} <- prepare_account(auth, account, options) do
      case Native.fresh_token(handle, options.owner, account) do
        nil -> token(options, &Native.access_token(&1, handle, options.owner, account))
        fresh -> {:ok, Token.from_native(fresh)}
      end
    end
  end

  @doc "As `access_token/3`, and raises."
  @spec access_token!(auth, account, options) :: Token.t()
  def access_token!(auth, account, options \\ []), do: auth |> access_token(account, options) |> value!()

  @doc """
  Runs `call` with a good token, and once more with another if the resource server rejects it.

  `call` returns `{:accepted, answer}`, or `{:token_rejected, answer}` where the token was refused as expired or revoked
  (a 401); the last answer is returned. A token is renewed only if it is still the one that was rejected, and not while it is
  younger than 30 seconds.
  """
  @spec with_token(auth, account, options, (Token.t() -> {:accepted | :token_rejected, answer})) ::
          {:ok, answer} | {:error, Error.t()}
        when answer: term
  def with_token(auth, account, options \\ [], call) when is_function(call, 1) do
    with {:ok, token} <- access_token(auth, account, options) do
      case call.(token) do
        {:accepted, answer} -> {:ok, answer}
        {:token_rejected, answer} -> with_another(auth, account, options, call, token, answer)
      end
    end
  end

  @doc "As `with_token/4`, and raises."
  @spec with_token!(auth, account, options, (Token.t() -> {:accepted | :token_rejected, answer})) :: answer
        when answer: term
  def with_token!(auth, account, options \\ [], call),
    do: auth |> with_token(account, options, call) |> value!()

  @doc "The state of every account that the owner has or could have with this configuration, sorted."
  @spec status(auth, options) :: {:ok, [Status.t()]} | {:error, Error.t()}
  def status(auth, options \\ []) do
    with {:ok, handle, options} <- prepare(auth, options),
         {:ok, rows} <- Call.run(options.timeout, &Native.status(&1, handle, options.owner)),
         do: {:ok, Enum.map(rows, &Status.from_native/1)}
  end

  @doc "As `status/2`, and raises."
  @spec status!(auth, options) :: [Status.t()]
  def status!(auth, options \\ []), do: auth |> status(options) |> value!()

  @doc """
  Deletes the connection here and revokes it at the server, and says truthfully what happened. With `local: true` nothing is
  sent to the server. Disconnecting what is not connected is no error.
  """
  @spec disconnect(auth, account, options) :: {:ok, Disconnected.t()} | {:error, Error.t()}
  def disconnect(auth, account, options \\ []) do
    with {:ok, handle, options} <- prepare_account(auth, account, options, local: false),
         start = &Native.disconnect(&1, handle, options.owner, account, options.local == true),
         {:ok, disconnected} <- Call.run(options.timeout, start),
         do: {:ok, Disconnected.from_native(disconnected)}
  end

  @doc "As `disconnect/3`, and raises."
  @spec disconnect!(auth, account, options) :: Disconnected.t()
  def disconnect!(auth, account, options \\ []), do: auth |> disconnect(account, options) |> value!()

  @doc "Disconnects every account of the owner; see `disconnect/3`. Each has a result of its own."
  @spec disconnect_all(auth, options) ::
          {:ok, [{:ok, Disconnected.t()} | {:error, Error.t()}]} | {:error, Error.t()}
  def disconnect_all(auth, options \\ []) do
    with {:ok, handle, options} <- prepare(auth, options, local: false),
         start = &Native.disconnect_all(&1, handle, options.owner, options.local == true),
         {:ok, each} <- Call.run(options.timeout, start) do
      {:ok, Enum.map(each, &with({:ok, ended} <- &1, do: {:ok, Disconnected.from_native(ended)}))}
    end
  end

  @doc "As `disconnect_all/2`, and raises."
  @spec disconnect_all!(auth, options) :: [{:ok, Disconnected.t()} | {:error, Error.t()}]
  def disconnect_all!(auth, options \\ []), do: auth |> disconnect_all(options) |> value!()

  @doc "Makes an account that is connected, or has a stored key, the owner's active one. Nothing is deleted."
  @spec use_provider(auth, account, options) :: :ok | {:error, Error.t()}
  def use_provider(auth, account, options \\ []) do
    with {:ok, handle, options} <- prepare_account(auth, account, options),
         {:ok, _} <- Call.run(options.timeout, &Native.use_provider(&1, handle, options.owner, account)),
         do: :ok
  end

  @doc "As `use_provider/3`, and raises."
  @spec use_provider!(auth, account, options) :: :ok
  def use_provider!(auth, account, options \\ []), do: auth |> use_provider(account, options) |> value!()

  @doc "Leaves the owner without an active account. Nothing is deleted."
  @spec use_none(auth, options) :: :ok | {:error, Error.t()}
  def use_none(auth, options \\ []) do
    with {:ok, handle, options} <- prepare(auth, options),
         {:ok, _} <- Call.run(options.timeout, &Native.use_none(&1, handle, options.owner)),
         do: :ok
  end

  @doc "As `use_none/2`, and raises."
  @spec use_none!(auth, options) :: :ok
  def use_none!(auth, options \\ []), do: auth |> use_none(options) |> value!()

  @doc "The owner's active account; `:no_active_provider` where none is selected."
  @spec active(auth, options) :: {:ok, account} | {:error, Error.t()}
  def active(auth, options \\ []) do
    with {:ok, handle, options} <- prepare(auth, options),
         do: Call.run(options.timeout, &Native.active(&1, handle, options.owner))
  end

  @doc "As `active/2`, and raises."
  @spec active!(auth, options) :: account
  def active!(auth, options \\ []), do: auth |> active(options) |> value!()

  @doc "Who the owner is at the active provider."
  @spec me(auth, options) :: {:ok, Me.t()} | {:error, Error.t()}
  def me(auth, options \\ []) do
    with {:ok, handle, options} <- prepare(auth, options),
         {:ok, me} <- Call.run(options.timeout, &Native.me(&1, handle, options.owner)),
         do: {:ok, Me.from_native(me)}
  end

  @doc "As `me/2`, and raises."
  @spec me!(auth, options) :: Me.t()
  def me!(auth, options \\ []), do: auth |> me(options) |> value!()

  @doc """
  Keeps an API key (`kind: :api_key`, unless told otherwise) or an auth token (`kind: :auth_token`), sealed. One that is
  there already stays, and since when is told, unless `replace: true`.
  """
  @spec set_key(auth, account, Secret.t() | String.t(), options) ::
          {:ok, :stored | :replaced | {:kept, DateTime.t()}} | {:error, Error.t()}
  def set_key(auth, account, secret, options \\ []) do
    with {:ok, handle, options} <- prepare_account(auth, account, options, kind: :api_key, replace: false),
         {:ok, secret} <- Arguments.secret(secret, "the key"),
         key = {options.owner, account},
         {:ok, outcome} <-
           Call.run(options.timeout, fn tag ->
             # It goes into the store.
             key_text = Secret.expose(secret)
             Native.set_key(tag, handle, key, to_string(options.kind), key_text, options.replace == true)
           end),
         do: {:ok, kept(outcome)}
  end

  @doc "As `set_key/4`, and raises."
  @spec set_key!(auth, account, Secret.t() | String.t(), options) ::
          :stored | :replaced | {:kept, DateTime.t()}
  def set_key!(auth, account, secret, options \\ []),
    do: auth |> set_key(account, secret, options) |> value!()

  @doc "Deletes an API key or an auth token (`kind:`, as in `set_key/4`), and says whether it was there."
  @spec remove_key(auth, account, options) :: {:ok, boolean} | {:error, Error.t()}
  def remove_key(auth, account, options \\ []) do
    with {:ok, handle, options} <- prepare_account(auth, account, options, kind: :api_key) do
      kind = to_string(options.kind)
      Call.run(options.timeout, &Native.remove_key(&1, handle, options.owner, account, kind))
    end
  end

  @doc "As `remove_key/3`, and raises."
  @spec remove_key!(auth, account, options) :: boolean
  def remove_key!(auth, account, options \\ []), do: auth |> remove_key(account, options) |> value!()

  @doc "Which credential a tier, a provider or an account uses, where it comes from, and why."
  @spec resolve(auth, String.t(), options) :: {:ok, Resolution.t()} | {:error, Error.t()}
  def resolve(auth, name, options \\ []) do
    with {:ok, handle, options} <- prepare_account(auth, name, options),
         {:ok, resolution} <- Call.run(options.timeout, &Native.resolve(&1, handle, options.owner, name)),
         do: {:ok, Resolution.from_native(resolution)}
  end

  @doc "As `resolve/3`, and raises."
  @spec resolve!(auth, String.t(), options) :: Resolution.t()
  def resolve!(auth, name, options \\ []), do: auth |> resolve(name, options) |> value!()

  @doc """
  Begins a login on the person's machine; for web apps there is `begin_hosted/3`.

    * `:flow` – `:device`, `:loopback` or `:paste`; without it the configuration's, or the best that can succeed here.
    * `:scopes` – to ask for beside those of the configuration and those that are granted.
    * `:patience` – how long the person may take, in milliseconds.

  Then `await/2`, and where it asks for it `finish/3`. Nothing that is stored changes before the login succeeds.
  """
  @spec connect(auth, account, options) :: {:ok, PendingLogin.t()} | {:error, Error.t()}
  def connect(auth, account, options \\ []) do
    with {:ok, handle, options} <- prepare_login(auth, account, options, flow: nil),
         flow = options.flow && to_string(options.flow),
         key = {options.owner, account},
         start = &Native.connect(&1, handle, key, flow, options.scopes, options.patience),
         {:ok, waiting} <- Call.run(options.timeout, start),
         do: {:ok, PendingLogin.from_native(waiting)}
  end

  @doc "As `connect/3`, and raises."
  @spec connect!(auth, account, options) :: PendingLogin.t()
  def connect!(auth, account, options \\ []), do: auth |> connect(account, options) |> value!()

  @doc """
  Opens the person's browser on this machine. Where that fails the login may go on by a device code: show what the returned
  login holds.
  """
  @spec open_browser(PendingLogin.t(), options) :: {:ok, PendingLogin.t()} | {:error, Error.t()}
  def open_browser(%PendingLogin{login: login}, options \\ []) do
    with {:ok, options} <- Arguments.options(options),
         {:ok, waiting} <- Call.run(options.timeout, &Native.open_browser(&1, login)),
         do: {:ok, PendingLogin.from_native(waiting)}
  end

  @doc "As `open_browser/2`, and raises."
  @spec open_browser!(PendingLogin.t(), options) :: PendingLogin.t()
  def open_browser!(login, options \\ []), do: login |> open_browser(options) |> value!()

  @doc "Waits for the person's decision, however it comes. After `timeout:` the login is still open."
  @spec await(PendingLogin.t(), options) :: {:ok, Connected.t()} | {:error, Error.t()}
  def await(%PendingLogin{login: login}, options \\ []) do
    with {:ok, options} <- Arguments.options(options),
         {:ok, connected} <- Call.run(options.timeout, &Native.await_login(&1, login)),
         do: {:ok, Connected.from_native(connected)}
  end

  @doc "As `await/2`, and raises."
  @spec await!(PendingLogin.t(), options) :: Connected.t()
  def await!(login, options \\ []), do: login |> await(options) |> value!()

  @doc """
  Finishes the login with what the person brings back: `code#state`, or the whole address they ended up at. After
  `:callback_rejected` it is still open; a second finish is `:login_closed`.
  """
  @spec finish(PendingLogin.t(), Secret.t() | String.t(), options) ::
          {:ok, Connected.t()} | {:error, Error.t()}
  def finish(%PendingLogin{login: login}, pasted, options \\ []) do
    with {:ok, options} <- Arguments.options(options),
         {:ok, pasted} <- Arguments.secret(pasted, "what was pasted"),
         # The core reads it.
         start = &Native.finish_login(&1, login, Secret.expose(pasted)),
         {:ok, connected} <- Call.run(options.timeout, start),
         do: {:ok, Connected.from_native(connected)}
  end

  @doc "As `finish/3`, and raises."
  @spec finish!(PendingLogin.t(), Secret.t() | String.t(), options) :: Connected.t()
  def finish!(login, pasted, options \\ []), do: login |> finish(pasted, options) |> value!()

  @doc "Ends the login, and says whether it was open. Whoever waits for it is told `:login_closed`."
  @spec cancel(PendingLogin.t(), options) :: {:ok, boolean} | {:error, Error.t()}
  def cancel(%PendingLogin{login: login}, options \\ []) do
    with {:ok, options} <- Arguments.options(options),
         do: Call.run(options.timeout, &Native.cancel_login(&1, login))
  end

  @doc "As `cancel/2`, and raises."
  @spec cancel!(PendingLogin.t(), options) :: boolean
  def cancel!(login, options \\ []), do: login |> cancel(options) |> value!()

  @doc """
  Begins a login in a web app: the person's browser goes to the provider, and comes back to
  `<callback_base_url>/auth/<provider>/callback`. Begin only on a POST that is protected against request forgery. Any node
  that has the store finishes it. `:scopes` and `:patience` are as in `connect/3`.
  """
  @spec begin_hosted(auth, account, options) :: {:ok, HostedLogin.t()} | {:error, Error.t()}
  def begin_hosted(auth, account, options \\ []) do
    with {:ok, handle, options} <- prepare_login(auth, account, options),
         start = &Native.begin_hosted(&1, handle, options.owner, account, options.scopes, options.patience),
         {:ok, hosted} <- Call.run(options.timeout, start),
         do: {:ok, HostedLogin.from_native(hosted)}
  end

  @doc "As `begin_hosted/3`, and raises."
  @spec begin_hosted!(auth, account, options) :: HostedLogin.t()
  def begin_hosted!(auth, account, options \\ []), do: auth |> begin_hosted(account, options) |> value!()

  @doc """
  Finishes the hosted login that a callback answers. `provider` is the one in the callback's path; `query` and `cookies` (the
  `Cookie` header) are as they came. What is rejected finishes nothing and cancels nothing.
  """
  @spec finish_hosted(auth, String.t(), Secret.t() | String.t(), Secret.t() | String.t(), options) ::
          {:ok, Connected.t()} | {:error, Error.t()}
  def finish_hosted(auth, provider, query, cookies, options \\ []) do
    with {:ok, handle, options} <- prepare_account(auth, provider, options),
         {:ok, query} <- Arguments.secret(query, "the query"),
         {:ok, cookies} <- Arguments.secret(cookies, "the Cookie header"),
         {:ok, connected} <-
           Call.run(options.timeout, fn tag ->
             # The core reads both.
             {query, cookies} = {Secret.expose(query), Secret.expose(cookies)}
             Native.finish_hosted(tag, handle, options.owner, provider, query, cookies)
           end),
         do: {:ok, Connected.from_native(connected)}
  end

  @doc "As `finish_hosted/5`, and raises."
  @spec finish_hosted!(auth, String.t(), Secret.t() | String.t(), Secret.t() | String.t(), options) ::
          Connected.t()
  def finish_hosted!(auth, provider, query, cookies, options \\ []),
    do: auth |> finish_hosted(provider, query, cookies, options) |> value!()

  @doc "Ends a hosted login of the owner's by its `id`, and says whether it was open."
  @spec cancel_hosted(auth, String.t(), options) :: {:ok, boolean} | {:error, Error.t()}
  def cancel_hosted(auth, id, options \\ []) do
    with {:ok, handle, options} <- prepare_account(auth, id, options),
         do: Call.run(options.timeout, &Native.cancel_hosted(&1, handle, options.owner, id))
  end

  @doc "As `cancel_hosted/3`, and raises."
  @spec cancel_hosted!(auth, String.t(), options) :: boolean
  def cancel_hosted!(auth, id, options \\ []), do: auth |> cancel_hosted(id, options) |> value!()

  @doc """
  Sends `{:loomkin_auth, %LoomkinAuth.Event{}}` to the calling process whenever something happens to the connections of the
  owner, or with `owner: :all` to those of all the app's users, whichever process or host does it. It ends with the process.
  """
  @spec subscribe(auth, options) :: {:ok, subscription} | {:error, Error.t()}
  def subscribe(auth, options \\ []) do
    case Enum.split_with(options, &(&1 == {:owner, :all})) do
      {[], options} -> subscribe_to(auth, options, & &1.owner)
      {_everybody, options} -> subscribe_to(auth, options, fn _ -> nil end)
    end
  end

  @doc "As `subscribe/2`, and raises."
  @spec subscribe!(auth, options) :: subscription
  def subscribe!(auth, options \\ []), do: auth |> subscribe(options) |> value!()

  @doc "Ends a subscription. Events that are in the mailbox by then stay there."
  @spec unsubscribe(subscription) :: :ok
  def unsubscribe(subscription) do
    Native.unsubscribe(subscription)
    :ok
  end

  defp subscribe_to(auth, options, owner) do
    with {:ok, handle, options} <- prepare(auth, options),
         do: Call.run(options.timeout, &Native.subscribe(&1, handle, owner.(options)))
  end

  defp with_another(auth, account, options, call, rejected, answer) do
    with {:ok, handle, %{owner: owner} = options} <- prepare_account(auth, account, options),
         # The core compares it with the present one.
         start = &Native.renew_rejected(&1, handle, owner, account, Token.expose(rejected)),
         {:ok, token} <- token(options, start) do
      if Token.expose(token) == Token.expose(rejected), do: {:ok, answer}, else: {:ok, elem(call.(token), 1)}
    end
  end

  defp token(options, start) do
    with {:ok, token} <- Call.run(options.timeout, start), do: {:ok, Token.from_native(token)}
  end

  # The handle, and the options over their defaults.
  defp prepare(auth, options, defaults \\ []) do
    with {:ok, options} <- Arguments.options(options, defaults),
         {:ok, handle} <- Instance.handle(auth),
         do: {:ok, handle, options}
  end

  defp prepare_account(auth, account, options, defaults \\ []) do
    with :ok <- Arguments.account(account), do: prepare(auth, options, defaults)
  end

  defp prepare_login(auth, account, options, defaults \\ []) do
    with {:ok, handle, options} <-
           prepare_account(auth, account, options, [scopes: [], patience: nil] ++ defaults),
         :ok <- Arguments.scopes(options.scopes),
         :ok <- Arguments.patience(options.patience),
         do: {:ok, handle, options}
  end

  defp kept({:kept, since}), do: {:kept, LoomkinAuth.Moment.from_millis(since)}
  defp kept(outcome), do: outcome

  defp value!(:ok), do: :ok
  defp value!({:ok, value}), do: value
  defp value!({:error, error}), do: raise(error)
end
