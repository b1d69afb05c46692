defmodule LoomkinAuth.HostedLogin do
  @moduledoc """
  A login in a web app that has begun; see `LoomkinAuth.begin_hosted/3`. The store keeps it: dropping this changes nothing.

  Send the person's browser to `authorization_url`, and set `cookie` with that answer. They come back to `redirect_uri`.
  `id` is no secret; `LoomkinAuth.cancel_hosted/3` knows the login by it.
  """

  alias LoomkinAuth.{LoginCookie, Moment, Secret}

  @derive {Inspect, only: [:id, :account, :redirect_uri, :deadline]}
  defstruct [:id, :account, :authorization_url, :redirect_uri, :deadline, :cookie]

  @type t :: %__MODULE__{
          id: String.t(),
          account: String.t(),
          authorization_url: Secret.t(),
          redirect_uri: String.t(),
          deadline: DateTime.t(),
          cookie: LoginCookie.t()
        }

  @doc false
  def from_native(hosted) do
    login = struct!(__MODULE__, hosted)

    Moment.read(
      %{
        login
        | authorization_url: Secret.new(login.authorization_url),
          cookie: LoginCookie.from_native(login.cookie)
      },
      [:deadline]
    )
  end
end
