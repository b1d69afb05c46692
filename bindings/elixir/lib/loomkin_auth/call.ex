defmodule LoomkinAuth.Call do
  @moduledoc false
  # A call of the native library that answers by message. Its caller waits here, and on no scheduler.

  alias LoomkinAuth.{Error, Native}

  # `start` is given the tag that marks the answer. An answer that comes after `timeout` is never delivered.
  @spec run(timeout, (reference -> {:ok, reference} | {:error, Error.t()})) ::
          {:ok, term} | {:error, Error.t()}
  def run(timeout, start) do
    tag = make_ref()

    case start.(tag) do
      {:ok, call} -> wait(tag, call, timeout)
      {:error, _} = refused -> refused
    end
  rescue
    # The stack trace of a refused call has its arguments, secrets included.
    error -> reraise error, prune(__STACKTRACE__)
  end

  defp wait(tag, call, timeout) do
    receive do
      {^tag, answer} -> answer
    after
      timeout -> give_up(tag, call)
    end
  end

  defp give_up(tag, call) do
    if Native.cancel_call(call) do
      {:error,
       Error.new(
         :unavailable,
         "there was no answer in time",
         "Try again, or give the call more time with :timeout."
       )}
    else
      # It has been sent: either it is here, or it is about to be.
      receive do
        {^tag, answer} -> answer
      end
    end
  end

  defp prune([{module, function, arguments, location} | rest]) when is_list(arguments),
    do: [{module, function, length(arguments), location} | rest]

  defp prune(stacktrace), do: stacktrace
end
