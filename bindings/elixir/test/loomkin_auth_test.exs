defmodule LoomkinAuthTest do
  use ExUnit.Case, async: true

  alias LoomkinAuth.{
    App,
    Connected,
    DevProvider,
    Disconnected,
    Error,
    Me,
    Patience,
    Resolution,
    Secret,
    Token
  }

  doctest LoomkinAuth
  doctest LoomkinAuth.Error
  doctest LoomkinAuth.LogFilter
  doctest LoomkinAuth.Secret

  setup do
    issuer = DevProvider.start()
    %{auth: App.start(issuer), issuer: issuer}
  end

  test "the life of a connection", %{auth: auth} do
    assert {:error, %Error{code: :not_connected, account: "dev"}} = LoomkinAuth.access_token(auth, "dev")
    assert {:error, %Error{code: :no_active_provider}} = LoomkinAuth.active(auth)

    assert %Connected{provider: "dev", account: "dev", account_login: "ada"} = App.log_in(auth)

    assert {:ok, %Token{kind: :oauth, account: "dev"} = token} = LoomkinAuth.access_token(auth, "dev")
    assert "canary-" <> _ = Token.expose(token)
    assert Token.authorization(token) == "Bearer " <> Token.expose(token)
    assert DateTime.compare(Token.expires_at(token), DateTime.utc_now()) == :gt

    assert LoomkinAuth.active!(auth) == "dev"
    assert %Me{account: "dev", account_login: "ada", since: %DateTime{}} = LoomkinAuth.me!(auth)
    assert %{state: :connected, active: true} = row(auth, "dev")
    assert :ok = LoomkinAuth.use_none!(auth)
    assert %{active: false} = row(auth, "dev")
    assert :ok = LoomkinAuth.use_provider!(auth, "dev")

    assert %Disconnected{was_connected: true, revoked: true} = LoomkinAuth.disconnect!(auth, "dev")
    assert %Disconnected{was_connected: false} = LoomkinAuth.disconnect!(auth, "dev")
    assert {:error, %Error{code: :not_connected}} = LoomkinAuth.access_token(auth, "dev")
  end

  test "every owner has accounts of their own", %{auth: auth} do
    App.log_in(auth, "dev", owner: "ann")
    App.log_in(auth, "dev/work", owner: "ann")
    assert {:ok, _} = LoomkinAuth.access_token(auth, "dev/work", owner: "ann")
    assert {:error, %Error{code: :not_connected}} = LoomkinAuth.access_token(auth, "dev", owner: "bob")

    assert [%{state: :disconnected}] =
             for(row <- LoomkinAuth.status!(auth, owner: "bob"), row.provider == "dev", do: row)

    assert [{:ok, %Disconnected{}}, {:ok, %Disconnected{}}] = LoomkinAuth.disconnect_all!(auth, owner: "ann")
  end

  test "a second call finds the token in memory", %{auth: auth, issuer: issuer} do
    App.log_in(auth)
    token = LoomkinAuth.access_token!(auth, "dev")
    {:ok, handle} = LoomkinAuth.Instance.handle(auth)
    assert {"dev", secret, "Bearer", :oauth, _, _} = LoomkinAuth.Native.fresh_token(handle, "local", "dev")
    assert secret == Token.expose(token)
    assert DevProvider.refreshes(issuer) == 0
  end

  test "a static key is kept, told of, resolved and removed", %{auth: auth} do
    key = Secret.new("sk-canary-0123456789")
    assert :stored = LoomkinAuth.set_key!(auth, "openai", key)
    assert {:kept, %DateTime{}} = LoomkinAuth.set_key!(auth, "openai", "sk-canary-another")
    assert :replaced = LoomkinAuth.set_key!(auth, "openai", key, replace: true)

    assert %Token{kind: :api_key} = token = LoomkinAuth.access_token!(auth, "openai")
    assert Token.expose(token) == Secret.expose(key)
    assert %Resolution{kind: :api_key, place: :store, secret: secret} = LoomkinAuth.resolve!(auth, "openai")
    assert Secret.expose(secret) == Secret.expose(key)

    assert LoomkinAuth.remove_key!(auth, "openai")
    refute LoomkinAuth.remove_key!(auth, "openai")
    assert {:error, %Error{code: :usage}} = LoomkinAuth.set_key(auth, "openai", "OPENAI_API_KEY")
    assert {:error, %Error{code: :usage}} = LoomkinAuth.set_key(auth, "openai", key, kind: :password)
  end

  test "a rejected token is renewed, unless it is too young, and the call repeated once", %{
    auth: auth,
    issuer: issuer
  } do
    App.log_in(auth)
    parent = self()

    call = fn token ->
      send(parent, {:called, Token.expose(token)})
      {:token_rejected, :unauthorized}
    end

    assert {:ok, :unauthorized} = LoomkinAuth.with_token(auth, "dev", call)
    assert_received {:called, first}
    refute_received {:called, _}
    assert DevProvider.refreshes(issuer) == 0

    assert {:ok, :fine} = LoomkinAuth.with_token(auth, "dev", fn _ -> {:accepted, :fine} end)

    # Somebody else has logged in again meanwhile: their token takes the place of the rejected one.
    renewing = fn token ->
      if Token.expose(token) == first do
        App.log_in(auth)
        {:token_rejected, :first}
      else
        {:accepted, :second}
      end
    end

    assert {:ok, :second} = LoomkinAuth.with_token(auth, "dev", renewing)
  end

  test "two instances live side by side, and each goes by itself", %{auth: auth, issuer: issuer} do
    other = App.start(issuer)
    App.log_in(auth)
    assert {:error, %Error{code: :not_connected}} = LoomkinAuth.access_token(other, "dev")
    stop_supervised!(other)
    assert {:error, %Error{code: :usage, advice: advice}} = LoomkinAuth.access_token(other, "dev")
    assert advice =~ "supervision tree"
    assert {:ok, _} = LoomkinAuth.access_token(auth, "dev")
  end

  test "an instance that is started again finds what was stored", %{issuer: issuer} do
    options = App.options(issuer, :started_twice)
    start_supervised!({LoomkinAuth, options})
    App.log_in(:started_twice)
    stop_supervised!(:started_twice)
    start_supervised!({LoomkinAuth, options})
    assert {:ok, _} = LoomkinAuth.access_token(:started_twice, "dev")
  end

  test "an instance that is killed comes back, and a hosted login that was begun before still finishes",
       %{
         auth: auth
       } do
    hosted = LoomkinAuth.begin_hosted!(auth, "dev", owner: "ann")
    first = Process.whereis(auth)
    Process.exit(first, :kill)
    Patience.until(fn -> Process.whereis(auth) not in [nil, first] end)
    query = query_of(hosted)
    cookies = "#{hosted.cookie.name}=#{Secret.expose(hosted.cookie.value)}"
    assert %Connected{account: "dev"} = LoomkinAuth.finish_hosted!(auth, "dev", query, cookies, owner: "ann")
  end

  test "a hosted login is bound to its browser, its owner and its provider, and finishes once", %{auth: auth} do
    hosted = LoomkinAuth.begin_hosted!(auth, "dev", owner: "ann")
    query = query_of(hosted)
    cookies = "session=x; #{hosted.cookie.name}=#{Secret.expose(hosted.cookie.value)}"
    finish = &LoomkinAuth.finish_hosted(auth, &1, &2, &3, owner: &4)

    assert {:error, %Error{code: :callback_rejected}} = finish.("dev", "code=x&state=y", cookies, "ann")
    assert {:error, %Error{code: :callback_rejected}} = finish.("dev", query, "", "ann")
    assert {:error, %Error{code: :callback_rejected}} = finish.("dev", query, cookies, "bob")
    assert {:error, %Error{code: :callback_rejected}} = finish.("openai", query, cookies, "ann")
    assert {:ok, %Connected{}} = finish.("dev", query, cookies, "ann")
    assert {:error, %Error{code: :login_closed}} = finish.("dev", query, cookies, "ann")
  end

  test "a hosted login can be cancelled by its owner alone", %{auth: auth} do
    hosted = LoomkinAuth.begin_hosted!(auth, "dev", owner: "ann")
    refute LoomkinAuth.cancel_hosted!(auth, hosted.id, owner: "bob")
    assert LoomkinAuth.cancel_hosted!(auth, hosted.id, owner: "ann")
    refute LoomkinAuth.cancel_hosted!(auth, hosted.id, owner: "ann")
    assert {:error, %Error{code: :usage}} = LoomkinAuth.cancel_hosted(auth, "no id", owner: "ann")
  end

  defp query_of(hosted) do
    comes_back? = &String.starts_with?(&1, hosted.redirect_uri)

    hosted.authorization_url
    |> Secret.expose()
    |> DevProvider.visit(comes_back?)
    |> URI.parse()
    |> Map.fetch!(:query)
  end

  defp row(auth, account), do: auth |> LoomkinAuth.status!() |> Enum.find(&(&1.account == account))
end
