defmodule LoomkinAuth.Token do
  @moduledoc """
  An access token that is good now, or the stored key of an account that has nothing else.

  `inspect/2` shows no token. `kind` is `:oauth`, `:api_key` or `:auth_token`; an API key may want a header of its own.
  """

  alias LoomkinAuth.{Moment, Secret}

  @derive {Inspect, only: [:account, :kind]}
  @enforce_keys [:account, :secret, :token_type, :kind, :expires_at_ms, :scopes]
  defstruct @enforce_keys

  @type t :: %__MODULE__{
          account: String.t(),
          secret: Secret.t(),
          token_type: String.t(),
          kind: :oauth | :api_key | :auth_token,
          expires_at_ms: integer | nil,
          scopes: [String.t()]
        }

  @doc "The token itself."
  @spec expose(t) :: String.t()
  def expose(%__MODULE__{secret: secret}), do: Secret.expose(secret)

  @doc "The value of an `Authorization` header (RFC 6750 §2.1)."
  @spec authorization(t) :: String.t()
  def authorization(%__MODULE__{token_type: type, secret: secret}), do: type <> " " <> Secret.expose(secret)

  @doc "When it ends; `nil` means that it is good until a resource server says no."
  @spec expires_at(t) :: DateTime.t() | nil
  def expires_at(%__MODULE__{expires_at_ms: millis}), do: Moment.from_millis(millis)

  @doc false
  def from_native({account, token, token_type, kind, expires_at, scopes}) do
    %__MODULE__{
      account: account,
      secret: Secret.new(token),
      token_type: token_type,
      kind: kind,
      expires_at_ms: expires_at,
      scopes: scopes
    }
  end
end
