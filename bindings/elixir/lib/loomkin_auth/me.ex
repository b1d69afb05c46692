defmodule LoomkinAuth.Me do
  @moduledoc "Who the owner is at the active provider. `inspect/2` leaves out what identifies the person."

  @derive {Inspect, except: [:account_login, :account_id]}
  defstruct [:account, :account_login, :account_id, :base_url, :since]

  @type t :: %__MODULE__{
          account: String.t(),
          account_login: String.t() | nil,
          account_id: String.t() | nil,
          base_url: String.t() | nil,
          since: DateTime.t()
        }

  @doc false
  def from_native(me), do: LoomkinAuth.Moment.read(me, [:since])
end
