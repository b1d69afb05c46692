defmodule LoomkinAuth.Event do
  @moduledoc """
  Something that happened to a connection, by whichever process or host. It holds no secret.

  `event` is `:active_changed`, `:connected`, `:disconnected` (with `revoked`), `:missed` (read the status anew),
  `:reconnect_required` (with `reason`), `:refresh_failed` (with `kind` and `next_attempt_at`) or `:refreshed`. Pass over
  what you do not know: there may be more. Fields that a kind does not have are `nil`.
  """

  @derive {Inspect, except: [:owner]}
  defstruct [:event, :owner, :provider, :account, :at, :revoked, :reason, :kind, :next_attempt_at]

  @type t :: %__MODULE__{
          event: atom,
          owner: String.t() | nil,
          provider: String.t() | nil,
          account: String.t() | nil,
          at: integer,
          revoked: boolean | nil,
          reason: :expired | :interrupted | :revoked | nil,
          kind: :refused | :unknown | nil,
          next_attempt_at: integer | nil
        }

  @doc "When it happened, by the store's clock; `at` is the same in milliseconds since 1970."
  @spec at(t) :: DateTime.t()
  def at(%__MODULE__{at: millis}), do: DateTime.from_unix!(millis, :millisecond)
end
