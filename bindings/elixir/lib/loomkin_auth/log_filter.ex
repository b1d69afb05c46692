defmodule LoomkinAuth.LogFilter do
  @moduledoc """
  A filter for `:logger` that masks secrets in what others log: whatever has the shape of a token, a key, a code or an
  e-mail address becomes `[redacted]`.

      :logger.add_primary_filter(:loomkin_auth, {&LoomkinAuth.LogFilter.filter/2, []})

  Nothing of this library's needs it. Texts are masked as texts; in reports, every text is masked where it stands, and the
  value behind a key such as `password` wholly; charlists in reports are lists of numbers, and stay. Shapes are guesses:
  keep secrets in a `LoomkinAuth.Secret`.

      iex> event = %{level: :info, meta: %{}, msg: {:string, ["Authorization: Bearer ", "abcdefghijklmnop"]}}
      iex> LoomkinAuth.LogFilter.filter(event, []).msg
      {:string, "Authorization: Bearer [redacted]"}
  """

  alias LoomkinAuth.Native

  # What the native library masks on the scheduler of its caller, in bytes.
  @short 4096
  @mask "[redacted]"

  @doc "The filter; `:logger` calls it."
  @spec filter(:logger.log_event(), term) :: :logger.filter_return()
  def filter(%{msg: message} = event, _) do
    %{event | msg: mask(message)}
  rescue
    # `:logger` takes out a filter that fails, and what it could not read may hold anything.
    _ -> %{event | msg: {:string, "#{@mask}: this message could not be read"}}
  end

  @doc """
  `text` with everything masked that has the shape of a secret.

      iex> LoomkinAuth.LogFilter.redact("access_token=abcdefghijklmnop&scope=repo")
      "access_token=[redacted]&scope=repo"
  """
  @spec redact(binary) :: binary
  def redact(text) when byte_size(text) <= @short, do: Native.redact(text)
  def redact(text), do: Native.redact_long(text)

  defp mask({:string, text}), do: {:string, text |> IO.chardata_to_string() |> redact()}
  defp mask({:report, report}), do: {:report, mask_term(report)}

  defp mask({format, arguments}) do
    {:string, format |> :io_lib.format(arguments) |> IO.chardata_to_string() |> redact()}
  end

  # What has pieces is masked by its pieces, so that whoever formats a report finds it as it was.
  defp mask_term(text) when is_binary(text), do: redact(text)

  defp mask_term(%_{} = struct),
    do: struct |> Map.from_struct() |> mask_term() |> Map.put(:__struct__, struct.__struct__)

  defp mask_term(map) when is_map(map), do: Map.new(map, &mask_pair/1)
  defp mask_term([head | tail]), do: [mask_term(head) | mask_term(tail)]
  defp mask_term({key, _} = pair) when is_atom(key) or is_binary(key), do: mask_pair(pair)
  defp mask_term(tuple) when is_tuple(tuple), do: tuple |> Tuple.to_list() |> mask_term() |> List.to_tuple()
  defp mask_term(other), do: other

  defp mask_pair({key, value}) when is_binary(value) and (is_atom(key) or is_binary(key)) do
    if names_secret?(to_string(key)), do: {key, @mask}, else: {key, redact(value)}
  end

  defp mask_pair({key, value}), do: {mask_term(key), mask_term(value)}

  # Whether the redactor masks what stands behind such a name, whatever it is.
  defp names_secret?(name), do: redact(~s("#{name}":"x")) =~ @mask
end
