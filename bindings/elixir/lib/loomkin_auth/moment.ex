defmodule LoomkinAuth.Moment do
  @moduledoc false
  # Moments cross the border as milliseconds since 1970.

  @spec read(map, [atom]) :: map
  def read(struct, fields) do
    Enum.reduce(fields, struct, fn field, struct -> Map.update!(struct, field, &from_millis/1) end)
  end

  @spec from_millis(integer | nil) :: DateTime.t() | nil
  def from_millis(nil), do: nil
  def from_millis(millis), do: DateTime.from_unix!(millis, :millisecond)
end
