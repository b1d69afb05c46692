defmodule LoomkinAuth.Status do
  @moduledoc """
  One account in the status: its state, and what to do next.

  `state` is `:connected`, `:degraded` (then `usable` and `next_attempt_at` say more), `:disconnected`,
  `:reconnect_required` (then `reason` says why) or `:refreshing`. `credentials` are the static ones that are there
  besides, as `{kind, source}`; a source of `nil` means that it cannot be used. `note` and `next_step` are safe to show.
  `inspect/2` leaves out what identifies the person.
  """

  @derive {Inspect, only: [:account, :state, :reason, :usable, :active]}
  defstruct [
    :provider,
    :account,
    :state,
    :reason,
    :usable,
    :next_attempt_at,
    :active,
    :account_login,
    :account_id,
    :scopes,
    :missing_scopes,
    :expires_at,
    :base_url,
    :since,
    :revocation_until,
    :credentials,
    :note,
    :next_step
  ]

  @type state :: :connected | :degraded | :disconnected | :reconnect_required | :refreshing

  @type t :: %__MODULE__{
          provider: String.t(),
          account: String.t(),
          state: state,
          reason: :expired | :interrupted | :revoked | nil,
          usable: boolean | nil,
          next_attempt_at: DateTime.t() | nil,
          active: boolean,
          account_login: String.t() | nil,
          account_id: String.t() | nil,
          scopes: [String.t()],
          missing_scopes: [String.t()],
          expires_at: DateTime.t() | nil,
          base_url: String.t() | nil,
          since: DateTime.t() | nil,
          revocation_until: DateTime.t() | nil,
          credentials: [{:api_key | :auth_token, String.t() | nil}],
          note: String.t() | nil,
          next_step: String.t() | nil
        }

  @doc false
  def from_native(status) do
    LoomkinAuth.Moment.read(status, [:next_attempt_at, :expires_at, :since, :revocation_until])
  end
end
