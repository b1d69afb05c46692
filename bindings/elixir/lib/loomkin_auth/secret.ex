defmodule LoomkinAuth.Secret do
  @moduledoc """
  A text that no other text can contain: a token, an authorization code, an API key.

      iex> secret = LoomkinAuth.Secret.new("s3cret")
      iex> inspect(%{key: secret})
      "%{key: #LoomkinAuth.Secret<elided>}"
      iex> LoomkinAuth.Secret.expose(secret)
      "s3cret"

  It is kept in a closure, which neither `inspect/2` nor Erlang's `~p` can look into, so that it stays out of crash
  reports and stack traces as well.
  """

  @enforce_keys [:reveal]
  defstruct [:reveal]

  @opaque t :: %__MODULE__{reveal: fun}

  @doc "Wraps `text`. Wrap it where it comes in, and pass nothing else on."
  @spec new(String.t()) :: t
  def new(text) when is_binary(text), do: %__MODULE__{reveal: fn -> text end}

  @doc "The text, at the one place where it has to leave."
  @spec expose(t) :: String.t()
  def expose(%__MODULE__{reveal: reveal}), do: reveal.()

  defimpl Inspect do
    def inspect(_, _), do: "#LoomkinAuth.Secret<elided>"
  end
end
