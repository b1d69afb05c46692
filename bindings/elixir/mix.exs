Code.require_file("mix/compile_native.exs", __DIR__)

defmodule LoomkinAuth.MixProject do
  use Mix.Project

  def project do
    [
      app: :loomkin_auth,
      version: "0.1.0",
      elixir: "~> 1.14",
      description: "Subscription auth that never logs its users out",
      compilers: [:loomkin_auth_native | Mix.compilers()],
      elixirc_paths: elixirc_paths(Mix.env()),
      start_permanent: Mix.env() == :prod,
      docs: [main: "LoomkinAuth", extras: ["README.md"]],
      package: [licenses: ["MIT", "Apache-2.0"]],
      deps: []
    ]
  end

  def application do
    [extra_applications: extra_applications(Mix.env())]
  end

  # The tests speak HTTP with the dev-provider.
  defp extra_applications(:test), do: [:logger, :inets]
  defp extra_applications(_), do: [:logger]

  defp elixirc_paths(:test), do: ["lib", "test/support"]
  defp elixirc_paths(_), do: ["lib"]
end
