defmodule Mix.Tasks.Compile.LoomkinAuthNative do
  @moduledoc false
  # Builds the library with cargo, and puts it where `LoomkinAuth.Native` finds it, from a release too.
  use Mix.Task.Compiler

  @crate "loomkin_auth_nif"

  @impl true
  def run(_arguments) do
    File.mkdir_p!("priv")
    build()
    place(Path.join([workspace(), target(), profile(), library()]), Path.join("priv", "#{@crate}.so"))
    # Without it, a clean tree has no link to `priv` yet when the library is loaded for the first time.
    Mix.Project.build_structure()
    {:ok, []}
  end

  defp build do
    cargo =
      System.find_executable("cargo") || Mix.raise("cargo is needed to build loomkin_auth: https://rustup.rs")

    options = [cd: workspace(), into: IO.stream(), stderr_to_stdout: true]

    case System.cmd(cargo, ["build", "--quiet", "--locked", "--package", @crate | flags()], options) do
      {_, 0} -> :ok
      {_, status} -> Mix.raise("cargo could not build #{@crate} (exit code #{status}); it says why above")
    end
  end

  # A library that is in use must not be written over: the BEAM has its pages in memory.
  defp place(built, placed) do
    File.cp!(built, placed <> ".new")
    File.rename!(placed <> ".new", placed)
  end

  defp flags do
    case Mix.env() do
      :prod -> ["--release"]
      :test -> ["--features", "testing"]
      _ -> []
    end
  end

  defp profile, do: if(Mix.env() == :prod, do: "release", else: "debug")
  defp target, do: System.get_env("CARGO_TARGET_DIR", "target")
  defp workspace, do: Path.expand("../..", File.cwd!())

  defp library do
    case :os.type() do
      {:unix, :darwin} -> "lib#{@crate}.dylib"
      _ -> "lib#{@crate}.so"
    end
  end
end
