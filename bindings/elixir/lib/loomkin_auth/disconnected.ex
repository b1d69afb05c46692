defmodule LoomkinAuth.Disconnected do
  @moduledoc """
  What a disconnect came to, truthfully. Where `revoked` is `false`, `reason` says why, and `queued_until` until when it is
  tried again. `kept` are the static credentials that are still there.
  """

  defstruct [:account, :was_connected, :revoked, :reason, :queued_until, :kept]

  @type t :: %__MODULE__{
          account: String.t(),
          was_connected: boolean,
          revoked: boolean,
          reason: String.t() | nil,
          queued_until: DateTime.t() | nil,
          kept: [:api_key | :auth_token]
        }

  @doc false
  def from_native(disconnected), do: LoomkinAuth.Moment.read(disconnected, [:queued_until])
end
