defmodule LoomkinAuth.Instance do
  @moduledoc false
  # The process that stands for an instance in a supervision tree: it opens the instance and closes it. No call goes
  # through it, so that it is no bottleneck: callers find the handle where it is read for nothing.

  use GenServer

  alias LoomkinAuth.{Call, Error, Native, Telemetry}

  @options [:name, :config, :renew_ahead, :environment]

  @spec start_link(keyword) :: GenServer.on_start()
  def start_link(options) do
    GenServer.start_link(__MODULE__, options, name: Keyword.get(options, :name, LoomkinAuth))
  end

  # What a supervisor's reports show of `options`: the environment, which has secrets, is a function there.
  @spec opaque(keyword) :: keyword
  def opaque(options) do
    case Keyword.fetch(options, :environment) do
      {:ok, environment} when is_map(environment) -> Keyword.put(options, :environment, fn -> environment end)
      _ -> options
    end
  end

  @spec handle(atom) :: {:ok, reference} | {:error, Error.t()}
  def handle(name) do
    case :persistent_term.get({LoomkinAuth, name}, nil) do
      nil -> not_running(name)
      handle -> {:ok, handle}
    end
  end

  @impl true
  def init(options) do
    Process.flag(:trap_exit, true)
    name = Keyword.get(options, :name, LoomkinAuth)

    with :ok <- check(options),
         :ok <- check_library(),
         {:ok, handle} <- open(options) do
      # A handle of an earlier run may still be in use; whoever has it goes on with it.
      :persistent_term.put({LoomkinAuth, name}, handle)
      {:ok, %{name: name, handle: handle}, {:continue, :telemetry}}
    else
      {:error, error} -> {:stop, error}
    end
  end

  @impl true
  def handle_continue(:telemetry, state) do
    Telemetry.subscribe(state.handle)
    {:noreply, state}
  end

  @impl true
  def handle_info({:loomkin_auth, event}, state) do
    Telemetry.tell(state.name, event)
    {:noreply, state}
  end

  def handle_info(_, state), do: {:noreply, state}

  @impl true
  def terminate(_reason, %{name: name, handle: handle}) do
    :persistent_term.erase({LoomkinAuth, name})
    Call.run(:infinity, &Native.close(&1, handle))
  end

  defp open(options) do
    environment = Keyword.get(options, :environment, &System.get_env/0)
    config = Keyword.get(options, :config)
    renew_ahead = Keyword.get(options, :renew_ahead, true)
    Call.run(:infinity, &Native.open(&1, config, environment.(), File.cwd!(), renew_ahead))
  end

  defp check(options) do
    cond do
      unknown = Enum.find(Keyword.keys(options), &(&1 not in @options)) ->
        usage(
          "unknown option #{inspect(unknown)}",
          "Use one of #{Enum.map_join(@options, ", ", &inspect/1)}."
        )

      not (is_nil(options[:config]) or is_binary(options[:config])) ->
        usage("config: must be a path", ~s(Pass config: ".loomkin.toml".))

      not is_boolean(Keyword.get(options, :renew_ahead, true)) ->
        usage("renew_ahead: must be a boolean", "Pass true or false.")

      true ->
        :ok
    end
  end

  defp check_library do
    expected = to_string(Application.spec(:loomkin_auth, :vsn))

    case Native.version() do
      ^expected -> :ok
      _ -> {:error, Native.missing()}
    end
  rescue
    error in Error -> {:error, error}
  end

  defp not_running(name) do
    usage(
      "no instance of LoomkinAuth runs under the name #{inspect(name)}",
      "Add {LoomkinAuth, name: #{inspect(name)}} to your supervision tree."
    )
  end

  defp usage(message, advice), do: {:error, Error.new(:usage, message, advice)}
end
