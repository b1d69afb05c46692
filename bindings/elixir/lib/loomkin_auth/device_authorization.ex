defmodule LoomkinAuth.DeviceAuthorization do
  @moduledoc """
  What the person needs to log in on another device (RFC 8628 §3.2): `user_code`, and `verification_uri` to enter it at.
  `verification_uri_complete` has the code in it. `interval` is in milliseconds.
  """

  alias LoomkinAuth.{Moment, Secret}

  @derive {Inspect, only: [:verification_uri, :expires_at]}
  defstruct [:user_code, :verification_uri, :verification_uri_complete, :expires_at, :interval]

  @type t :: %__MODULE__{
          user_code: Secret.t(),
          verification_uri: String.t(),
          verification_uri_complete: Secret.t() | nil,
          expires_at: DateTime.t(),
          interval: non_neg_integer
        }

  @doc false
  def from_native(device) do
    device = struct!(__MODULE__, device)
    complete = device.verification_uri_complete

    Moment.read(
      %{
        device
        | user_code: Secret.new(device.user_code),
          verification_uri_complete: complete && Secret.new(complete)
      },
      [:expires_at]
    )
  end
end
