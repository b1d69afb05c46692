defmodule LoomkinAuth.DevProvider do
  @moduledoc false
  # The dev-provider as a process of the operating system, and its controls over HTTP.

  # Nothing here is TLS, and its applications may not be here.
  @options [ssl: []]

  # Starts one, which ends with the test: it stops when its standard input closes. It sends everybody back as `ada`.
  def start(options \\ ["--auto-approve", "ada"]) do
    arguments = ["--port", "0", "--token-prefix", "canary-", "--stop-with-stdin"]

    port =
      Port.open({:spawn_executable, "/bin/sh"}, [
        :binary,
        :exit_status,
        line: 4096,
        # What it says on standard error is for people.
        args: ["-c", ~s(exec "$0" "$@" 2>/dev/null), executable() | arguments ++ options]
      ])

    receive do
      {^port, {:data, {:eol, line}}} ->
        [_, issuer] = Regex.run(~r/"issuer":"([^"]+)"/, line)
        issuer
    after
      60_000 -> raise "the dev-provider does not say that it is ready"
    end
  end

  def put(issuer, control, body \\ "{}") do
    request = {to_charlist("#{issuer}/dev/#{control}"), [], ~c"application/json", body}
    {:ok, {{_, status, _}, _, _}} = :httpc.request(:put, request, @options, [])
    204 = status
    :ok
  end

  def get(issuer, control), do: body(issuer <> "/dev/" <> control)

  # How many requests came to the token endpoint to refresh.
  def refreshes(issuer) do
    issuer |> get("requests") |> String.split(~s("grant_type":"refresh_token")) |> length() |> Kernel.-(1)
  end

  # In place of a person with a browser: follows the redirects, and returns the address of the last one that `stops?`.
  def visit(url, stops? \\ fn _ -> false end) do
    {:ok, {{_, _, _}, headers, _}} =
      :httpc.request(:get, {to_charlist(url), []}, [autoredirect: false] ++ @options, [])

    case List.keyfind(headers, ~c"location", 0) do
      nil -> url
      {_, location} -> follow(URI.to_string(URI.merge(url, to_string(location))), stops?)
    end
  end

  defp follow(url, stops?), do: if(stops?.(url), do: url, else: visit(url, stops?))

  defp body(url) do
    {:ok, {{_, 200, _}, _, body}} =
      :httpc.request(:get, {to_charlist(url), []}, @options, body_format: :binary)

    body
  end

  defp executable do
    target = System.get_env("CARGO_TARGET_DIR", "../../target")
    Path.expand(Path.join(target, "debug/loomkin-dev-provider"))
  end
end
