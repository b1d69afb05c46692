defmodule LoomkinAuth.Telemetry do
  @moduledoc """
  Every event as a `:telemetry` event too, where that application is there.

  `[:loomkin_auth, :connection, event]` for each `event` of `LoomkinAuth.Event`, with the measurement `at` (milliseconds
  since 1970) and the metadata `auth` (the instance's name), `provider`, `account`, `reason`, `kind` and `revoked`. Whose
  account it is stays out: metadata ends in logs.
  """

  alias LoomkinAuth.{Call, Event, Native}

  @doc false
  @spec subscribe(reference) :: :ok
  def subscribe(handle) do
    if Code.ensure_loaded?(:telemetry), do: Call.run(:infinity, &Native.subscribe(&1, handle, nil))
    :ok
  end

  @doc false
  @spec tell(atom, Event.t()) :: :ok
  def tell(auth, %Event{} = event) do
    metadata = event |> Map.take([:provider, :account, :reason, :kind, :revoked]) |> Map.put(:auth, auth)
    # By name, because the application is optional.
    apply(:telemetry, :execute, [[:loomkin_auth, :connection, event.event], %{at: event.at}, metadata])
  end
end
