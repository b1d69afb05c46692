defmodule LoomkinAuth.Patience do
  @moduledoc false
  # Waiting for what nothing announces.

  def until(condition, looks \\ 2_000) do
    cond do
      condition.() -> :ok
      looks == 0 -> raise "it never became true"
      true -> Process.sleep(5) && until(condition, looks - 1)
    end
  end

  # What `count` says once it has been the same for a while: what earlier tests left is at its end.
  def settled(count, last \\ nil, looks \\ 0) do
    Process.sleep(5)

    case count.() do
      ^last when looks == 40 -> last
      ^last -> settled(count, last, looks + 1)
      other -> settled(count, other)
    end
  end
end
