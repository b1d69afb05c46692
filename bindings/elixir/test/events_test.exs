defmodule LoomkinAuth.EventsTest do
  use ExUnit.Case, async: true

  alias LoomkinAuth.{App, DevProvider, Event}

  setup do
    issuer = DevProvider.start()
    %{auth: App.start(issuer), issuer: issuer}
  end

  test "whoever subscribes is told of its owner's connections", %{auth: auth} do
    LoomkinAuth.subscribe!(auth, owner: "ann")
    App.log_in(auth, "dev", owner: "bob")
    App.log_in(auth, "dev/work", owner: "ann")
    assert_receive {:loomkin_auth, %Event{event: :connected} = event}, 5_000
    assert %Event{owner: "ann", provider: "dev", account: "dev/work"} = event
    assert %DateTime{} = Event.at(event)
    assert_receive {:loomkin_auth, %Event{event: :active_changed, owner: "ann"}}, 5_000

    LoomkinAuth.disconnect!(auth, "dev/work", owner: "ann")
    assert_receive {:loomkin_auth, %Event{event: :disconnected, owner: "ann"}}, 5_000
    assert_receive {:loomkin_auth, %Event{event: :disconnected, revoked: true}}, 5_000
    refute_received {:loomkin_auth, %Event{owner: "bob"}}
  end

  test "owner: :all is told of everybody's", %{auth: auth} do
    LoomkinAuth.subscribe!(auth, owner: :all)
    App.log_in(auth, "dev", owner: "ann")
    App.log_in(auth, "dev", owner: "bob")
    assert_receive {:loomkin_auth, %Event{event: :connected, owner: "ann"}}, 5_000
    assert_receive {:loomkin_auth, %Event{event: :connected, owner: "bob"}}, 5_000
  end

  test "what another instance on the same store does is told as well", %{issuer: issuer} do
    options = App.options(issuer, :listening)
    start_supervised!({LoomkinAuth, options})
    start_supervised!({LoomkinAuth, Keyword.put(options, :name, :acting)})
    LoomkinAuth.subscribe!(:listening)
    App.log_in(:acting)
    assert_receive {:loomkin_auth, %Event{event: :connected}}, 5_000
  end

  test "after unsubscribing nothing is told any more", %{auth: auth} do
    one = LoomkinAuth.subscribe!(auth)
    assert :ok = LoomkinAuth.unsubscribe(one)
    parent = self()

    # A second subscriber says when the event is out.
    listener = spawn_link(fn -> relay(auth, parent) end)
    assert_receive {:listening, ^listener}
    App.log_in(auth)
    assert_receive {:heard, %Event{event: :connected}}, 5_000
    refute_received {:loomkin_auth, _}
  end

  defp relay(auth, parent) do
    LoomkinAuth.subscribe!(auth)
    send(parent, {:listening, self()})

    receive do
      {:loomkin_auth, event} -> send(parent, {:heard, event})
    end
  end
end
