defmodule LoomkinAuth.Error do
  @moduledoc """
  What went wrong, and what to do about it.

  `code` says what the caller should do, and is the same in every language:

  | code | |
  | --- | --- |
  | `:access_denied` | the user said no; offer to try again |
  | `:account_mismatch` | another account came back than the one asked for |
  | `:callback_rejected` | the redirect does not answer this login; start over |
  | `:client_rejected` | the server refuses our registration or scopes |
  | `:config_invalid` | see `details` |
  | `:key_unavailable` | the sealing key cannot be had |
  | `:login_closed` | that login is finished, cancelled or timed out |
  | `:no_active_provider` | none is selected |
  | `:not_connected` | nothing is stored for this account; connect |
  | `:reconnect_required` | the grant is gone; connect again |
  | `:server_misbehaved` | an answer outside the specification; report it |
  | `:store_failed` | cannot read, write or unseal; nothing was overwritten |
  | `:unavailable` | network, back-off; see `retry_after`, in milliseconds |
  | `:usage` | the call itself is wrong |

  `message` and `advice` are safe to show; neither holds a secret.

      iex> error = LoomkinAuth.Error.new(:not_connected, "github is not connected", "Connect it.")
      iex> Exception.message(error)
      "not_connected: github is not connected. Connect it."
      iex> error.http_status
      409
  """

  @statuses %{
    access_denied: 403,
    account_mismatch: 409,
    callback_rejected: 400,
    client_rejected: 502,
    config_invalid: 500,
    key_unavailable: 500,
    login_closed: 410,
    no_active_provider: 412,
    not_connected: 409,
    reconnect_required: 409,
    server_misbehaved: 502,
    store_failed: 500,
    unavailable: 503,
    usage: 400
  }

  @codes @statuses |> Map.keys() |> Enum.sort()

  defexception [:code, :message, :advice, :provider, :account, :retry_after, :http_status, details: []]

  @type code ::
          :access_denied
          | :account_mismatch
          | :callback_rejected
          | :client_rejected
          | :config_invalid
          | :key_unavailable
          | :login_closed
          | :no_active_provider
          | :not_connected
          | :reconnect_required
          | :server_misbehaved
          | :store_failed
          | :unavailable
          | :usage

  @type t :: %__MODULE__{
          code: code,
          message: String.t(),
          advice: String.t(),
          details: [String.t()],
          provider: String.t() | nil,
          account: String.t() | nil,
          retry_after: non_neg_integer | nil,
          http_status: 400..599
        }

  @doc "Every code, sorted."
  @spec codes() :: [code]
  def codes, do: @codes

  @doc "An error of this library's own; `code` is one of `codes/0`."
  @spec new(code, String.t(), String.t()) :: t
  def new(code, message, advice), do: exception(code: code, message: message, advice: advice)

  @impl true
  def exception(fields) do
    error = struct!(__MODULE__, fields)
    %{error | http_status: Map.fetch!(@statuses, error.code)}
  end

  @impl true
  def message(%__MODULE__{code: code, message: message, advice: advice, details: details}) do
    Enum.join(["#{code}: #{message}. #{advice}" | details], "\n")
  end
end
