defmodule LoomkinAuth.LoginsTest do
  use ExUnit.Case, async: true

  alias LoomkinAuth.{App, Connected, DevProvider, DeviceAuthorization, Error, PendingLogin, Secret}

  setup do
    issuer = DevProvider.start()
    %{auth: App.start(issuer), issuer: issuer}
  end

  test "a login is finished once", %{auth: auth} do
    login = LoomkinAuth.connect!(auth, "dev", flow: :loopback)
    answer = redirect_of(login)
    assert %Connected{account: "dev"} = LoomkinAuth.finish!(login, answer)
    assert {:error, %Error{code: :login_closed}} = LoomkinAuth.finish(login, answer)
    assert {:error, %Error{code: :login_closed}} = LoomkinAuth.await(login)
  end

  test "what does not answer a login is rejected, and leaves it open", %{auth: auth} do
    login = LoomkinAuth.connect!(auth, "dev", flow: :loopback)
    assert {:error, %Error{code: :callback_rejected}} = LoomkinAuth.finish(login, "code#state")
    assert %Connected{} = LoomkinAuth.finish!(login, Secret.new(redirect_of(login)))
  end

  test "one process waits while another brings what the person was shown", %{auth: auth} do
    login = LoomkinAuth.connect!(auth, "dev", flow: :loopback)
    waiting = Task.async(fn -> LoomkinAuth.await(login) end)
    assert {:error, %Error{code: :callback_rejected}} = LoomkinAuth.finish(login, "code#state")
    assert %Connected{} = LoomkinAuth.finish!(login, redirect_of(login))
    assert {:ok, %Connected{}} = Task.await(waiting)
  end

  test "of many who bring the answer at once, one finishes the login", %{auth: auth} do
    login = LoomkinAuth.connect!(auth, "dev", flow: :loopback)
    answer = redirect_of(login)
    finishers = for _ <- 1..8, do: Task.async(fn -> LoomkinAuth.finish(login, answer) end)
    results = Task.await_many(finishers)
    assert Enum.count(results, &match?({:ok, %Connected{}}, &1)) == 1
    assert Enum.count(results, &match?({:error, %Error{code: :login_closed}}, &1)) == 7
  end

  test "a login that is cancelled is over for whoever waits for it", %{auth: auth} do
    login = LoomkinAuth.connect!(auth, "dev", flow: :loopback)
    waiting = Task.async(fn -> LoomkinAuth.await(login) end)
    assert LoomkinAuth.cancel!(login)
    assert {:error, %Error{code: :login_closed}} = Task.await(waiting)
    refute LoomkinAuth.cancel!(login)
    assert {:error, %Error{code: :login_closed}} = LoomkinAuth.finish(login, "code#state")
  end

  test "a caller that stops waiting leaves the login open", %{auth: auth} do
    login = LoomkinAuth.connect!(auth, "dev", flow: :loopback)
    assert {:error, %Error{code: :unavailable}} = LoomkinAuth.await(login, timeout: 0)
    {waiter, monitor} = spawn_monitor(fn -> LoomkinAuth.await(login) end)
    Process.exit(waiter, :kill)
    assert_receive {:DOWN, ^monitor, _, _, :killed}
    visitor = Task.async(fn -> DevProvider.visit(Secret.expose(login.authorization_url)) end)
    assert %Connected{} = LoomkinAuth.await!(login)
    Task.await(visitor)
  end

  test "the person has as much time as they are given", %{auth: auth} do
    login = LoomkinAuth.connect!(auth, "dev", flow: :loopback, patience: 0)
    assert {:error, %Error{code: :login_closed}} = LoomkinAuth.await(login)
  end

  test "a login on another device" do
    {auth, issuer} = undecided()

    assert %PendingLogin{flow: :device, device: device} =
             login = LoomkinAuth.connect!(auth, "dev", flow: :device)

    assert %DeviceAuthorization{verification_uri: "http" <> _, interval: 1000} = device
    code = Secret.expose(device.user_code)
    assert {:error, %Error{code: :usage}} = LoomkinAuth.finish(login, "code#state")
    DevProvider.put(issuer, "device", ~s({"user_code": "#{code}", "user": "ada"}))
    assert %Connected{account_login: "ada"} = LoomkinAuth.await!(login)
  end

  test "a person who says no is access_denied" do
    {auth, issuer} = undecided()
    login = LoomkinAuth.connect!(auth, "dev", flow: :device)
    DevProvider.put(issuer, "device", ~s({"user_code": "#{Secret.expose(login.device.user_code)}"}))
    assert {:error, %Error{code: :access_denied, http_status: 403}} = LoomkinAuth.await(login)
  end

  # Where nobody decides on their own.
  defp undecided do
    issuer = DevProvider.start(["--device-interval", "1s"])
    {App.start(issuer), issuer}
  end

  defp redirect_of(login) do
    [_, port] =
      Regex.run(~r/redirect_uri=http%3A%2F%2F[^&]*?%3A(\d+)/, Secret.expose(login.authorization_url))

    DevProvider.visit(Secret.expose(login.authorization_url), &String.contains?(&1, ":#{port}/"))
  end
end
