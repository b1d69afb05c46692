defmodule LoomkinAuth.PendingLogin do
  @moduledoc """
  A login that waits for the person; see `LoomkinAuth.connect/3`.

  Send the person to `authorization_url`, or show them what `device` holds. `asks_for_paste` says that they may bring an
  answer by hand, for `LoomkinAuth.finish/3`. `reasons` say why this flow was chosen. Any number can be open at once. It
  ends with the process that holds it.
  """

  alias LoomkinAuth.{DeviceAuthorization, Moment, Secret}

  @derive {Inspect, only: [:account, :flow, :deadline]}
  defstruct [
    :login,
    :account,
    :flow,
    :reasons,
    :asks_for_paste,
    :opens_browser,
    :authorization_url,
    :device,
    :deadline
  ]

  @type t :: %__MODULE__{
          login: reference,
          account: String.t(),
          flow: :device | :loopback | :paste,
          reasons: [String.t()],
          asks_for_paste: boolean,
          opens_browser: boolean,
          authorization_url: Secret.t(),
          device: DeviceAuthorization.t() | nil,
          deadline: DateTime.t() | nil
        }

  @doc false
  def from_native(waiting) do
    login = struct!(__MODULE__, waiting)

    Moment.read(
      %{
        login
        | authorization_url: Secret.new(login.authorization_url),
          device: login.device && DeviceAuthorization.from_native(login.device)
      },
      [:deadline]
    )
  end
end
