defmodule LoomkinAuth.TelemetryTest do
  # By itself, because it puts an application into the place of one that is not there.
  use ExUnit.Case, async: false

  alias LoomkinAuth.{App, DevProvider}

  test "every event is a telemetry event where that application is there" do
    # The application is optional: this is all of it that is called.
    Code.compile_string("""
    defmodule :telemetry do
      def execute(event, measurements, metadata) do
        for {_, listener} <- :ets.lookup(:telemetry_listener, :pid), do: send(listener, {event, measurements, metadata})
        :ok
      end
    end
    """)

    :ets.new(:telemetry_listener, [:named_table, :public])
    :ets.insert(:telemetry_listener, {:pid, self()})
    auth = App.start(DevProvider.start())
    App.log_in(auth, "dev", owner: "ann")
    assert_receive {[:loomkin_auth, :connection, :connected], %{at: at}, metadata}, 5_000
    assert is_integer(at)
    assert %{auth: ^auth, provider: "dev", account: "dev"} = metadata
    refute Map.has_key?(metadata, :owner)
  after
    :code.purge(:telemetry)
    :code.delete(:telemetry)
  end
end
