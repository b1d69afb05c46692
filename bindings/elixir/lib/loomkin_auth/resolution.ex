defmodule LoomkinAuth.Resolution do
  @moduledoc """
  Which credential a tier or a provider uses, where it comes from, and why.

  `secret` is the API key or the auth token; it is `nil` for `kind: :oauth`, whose token `LoomkinAuth.access_token/3` has,
  and for `kind: :none`. `passed_over` says what was looked at first, and `limits` what is to be known of this provider's
  credentials, both in whole sentences.
  """

  alias LoomkinAuth.Secret

  defstruct [
    :tier,
    :provider,
    :account,
    :auth_mode,
    :kind,
    :place,
    :source,
    :passed_over,
    :limits,
    :secret
  ]

  @type t :: %__MODULE__{
          tier: String.t() | nil,
          provider: String.t(),
          account: String.t(),
          auth_mode: :auto | :api_key | :oauth,
          kind: :api_key | :auth_token | :none | :oauth,
          place: :config | :environment | :nowhere | :store,
          source: String.t(),
          passed_over: [String.t()],
          limits: [String.t()],
          secret: Secret.t() | nil
        }

  @doc false
  def from_native(%__MODULE__{secret: nil} = resolution), do: resolution
  def from_native(%__MODULE__{} = resolution), do: Map.update!(resolution, :secret, &Secret.new/1)
end
