defmodule LoomkinAuth.Arguments do
  @moduledoc false
  # What callers pass, checked before it goes into the native library, which knows only "bad argument".

  alias LoomkinAuth.{Error, Secret}

  # The options that every call has.
  @common [owner: "local", timeout: :infinity]

  # `options` over `defaults` and the common ones, or what is wrong with them.
  @spec options(term, keyword) :: {:ok, map} | {:error, Error.t()}
  def options(options, defaults \\ []) do
    defaults = @common ++ defaults

    with :ok <- check_known(options, defaults),
         options = Map.new(Keyword.merge(defaults, options)),
         :ok <- text(options.owner, "owner:", "Pass the signed-in user's id, as a string."),
         :ok <- check_timeout(options.timeout),
         do: {:ok, options}
  end

  # Whether `value` is a text.
  @spec text(term, String.t(), String.t()) :: :ok | {:error, Error.t()}
  def text(value, name, advice) do
    if is_binary(value) and String.valid?(value), do: :ok, else: refuse("#{name} must be a string", advice)
  end

  @spec account(term) :: :ok | {:error, Error.t()}
  def account(account), do: text(account, "an account", ~s(Pass "github" or "github/work".))

  @spec scopes(term) :: :ok | {:error, Error.t()}
  def scopes(scopes) do
    if is_list(scopes) and Enum.all?(scopes, &(is_binary(&1) and String.valid?(&1))),
      do: :ok,
      else: refuse("scopes: must be a list of strings", ~s(Pass scopes: ["repo"].))
  end

  # How long a person may take; `nil` leaves it to the core.
  @spec patience(term) :: :ok | {:error, Error.t()}
  def patience(nil), do: :ok
  def patience(millis) when is_integer(millis) and millis >= 0, do: :ok
  def patience(_), do: refuse("patience: must be a number of milliseconds", "Pass patience: 60_000.")

  # A secret, wrapped or bare.
  @spec secret(term, String.t()) :: {:ok, Secret.t()} | {:error, Error.t()}
  def secret(%Secret{} = secret, name), do: check_secret(secret, name)
  def secret(text, name) when is_binary(text), do: check_secret(Secret.new(text), name)
  def secret(_, name), do: refuse("#{name} must be a string", "Pass a string or a LoomkinAuth.Secret.")

  defp check_secret(secret, name) do
    if String.valid?(Secret.expose(secret)),
      do: {:ok, secret},
      else: refuse("#{name} is not UTF-8", "Pass it as it came.")
  end

  defp check_known(options, defaults) do
    known = Keyword.keys(defaults)

    cond do
      not Keyword.keyword?(options) ->
        refuse("options must be a keyword list", ~s(Pass owner: "ID".))

      unknown = Enum.find(Keyword.keys(options), &(&1 not in known)) ->
        refuse("unknown option #{inspect(unknown)}", "Use one of #{Enum.map_join(known, ", ", &inspect/1)}.")

      true ->
        :ok
    end
  end

  defp check_timeout(:infinity), do: :ok
  defp check_timeout(millis) when is_integer(millis) and millis >= 0, do: :ok

  defp check_timeout(_),
    do: refuse("timeout: must be a number of milliseconds or :infinity", "Pass timeout: 5_000.")

  defp refuse(message, advice), do: {:error, Error.new(:usage, message, advice)}
end
