defmodule LoomkinAuth.VectorsTest do
  use ExUnit.Case, async: true

  alias LoomkinAuth.{Call, Error, Native}

  @vectors Path.expand("../../../tests/vectors", __DIR__)

  test "the error codes are those of every language" do
    text = File.read!(Path.join(@vectors, "errors.json"))
    rows = Regex.scan(~r/"code": "(\w+)", "exit": \d+, "http": (\d+)/, text, capture: :all_but_first)

    assert for([code, status] <- rows, do: {code, String.to_integer(status)}) ==
             for(code <- Error.codes(), do: {to_string(code), Error.new(code, "", "").http_status})
  end

  test "the events are those of every language, with the same fields" do
    text = File.read!(Path.join(@vectors, "events.json"))
    rows = Regex.scan(~r/"event": "(\w+)", "fields": \{(.*?)\}, "detail": (?:null|"(.*?)")/, text)
    assert length(rows) == 12

    for [_, name, fields | detail] <- rows do
      {:ok, event} = Call.run(:infinity, &Native.event_from_text(&1, name, List.first(detail)))

      assert {to_string(event.event), fields(event)} == {name, expected(fields)},
             "#{name}, #{inspect(detail)}"
    end
  end

  defp fields(event) do
    for {name, value} <- Map.take(Map.from_struct(event), [:revoked, :reason, :kind, :next_attempt_at]),
        value != nil,
        into: %{},
        do: {to_string(name), if(value in [true, false], do: value, else: to_string(value))}
  end

  # The members of an object without nesting; `null` is as good as absent in a struct.
  defp expected(members) do
    for [_, name, value] <- Regex.scan(~r/"(\w+)": ("\w+"|\w+)/, members),
        value != "null",
        into: %{},
        do: {name, if(value in ["true", "false"], do: value == "true", else: String.trim(value, "\""))}
  end
end
