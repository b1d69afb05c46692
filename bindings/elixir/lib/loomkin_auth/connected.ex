defmodule LoomkinAuth.Connected do
  @moduledoc """
  A connection that a login made. `missing_scopes` were asked for and not granted; `note` is safe to show. `inspect/2`
  leaves out what identifies the person.
  """

  @derive {Inspect, except: [:account_login, :account_id]}
  defstruct [:provider, :account, :account_login, :account_id, :scopes, :missing_scopes, :expires_at, :note]

  @type t :: %__MODULE__{
          provider: String.t(),
          account: String.t(),
          account_login: String.t() | nil,
          account_id: String.t() | nil,
          scopes: [String.t()],
          missing_scopes: [String.t()],
          expires_at: DateTime.t() | nil,
          note: String.t() | nil
        }

  @doc false
  def from_native(connected), do: LoomkinAuth.Moment.read(connected, [:expires_at])
end
