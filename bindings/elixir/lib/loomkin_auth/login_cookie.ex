defmodule LoomkinAuth.LoginCookie do
  @moduledoc """
  What binds a hosted login to the browser that began it. Set it with `HttpOnly` and `SameSite=Lax`, and with `Secure`
  where `secure` says so. `max_age` is in seconds.
  """

  alias LoomkinAuth.Secret

  @derive {Inspect, except: [:value]}
  defstruct [:name, :value, :path, :max_age, :secure]

  @type t :: %__MODULE__{
          name: String.t(),
          value: Secret.t(),
          path: String.t(),
          max_age: non_neg_integer,
          secure: boolean
        }

  @doc false
  def from_native(cookie) do
    cookie = struct!(__MODULE__, cookie)
    %{cookie | value: Secret.new(cookie.value)}
  end
end
