defmodule LoomkinAuth.NativeTest do
  # By itself, because it takes the library away.
  use ExUnit.Case, async: false

  alias LoomkinAuth.{App, DevProvider}

  @beam :loomkin_auth |> Application.app_dir() |> Path.join("ebin")

  test "without its library, an instance says what to run" do
    folder = Path.join(System.tmp_dir!(), "loomkin-auth-bare-#{System.pid()}")
    on_exit(fn -> File.rm_rf!(folder) end)
    File.mkdir_p!(Path.join(folder, "loomkin_auth"))
    File.cp_r!(@beam, Path.join(folder, "loomkin_auth/ebin"))

    program = """
    Process.flag(:trap_exit, true)
    {:error, %LoomkinAuth.Error{code: :config_invalid} = error} = LoomkinAuth.start_link(name: :bare)
    IO.puts(Exception.message(error))
    """

    {said, 0} = elixir(["-pa", Path.join(folder, "loomkin_auth/ebin"), "-e", program])
    assert said =~ "the native library of loomkin_auth is missing, or was built from another version"
    assert said =~ "mix compile --force"
  end

  test "code that is loaded anew leaves the library, and what is open, as they are" do
    auth = App.start(DevProvider.start())
    App.log_in(auth)
    before = LoomkinAuth.access_token!(auth, "dev")

    for module <- [LoomkinAuth, LoomkinAuth.Call, LoomkinAuth.Instance, LoomkinAuth.Native, LoomkinAuth.Token] do
      :code.purge(module)
      :code.load_file(module)
    end

    assert is_binary(LoomkinAuth.Native.version())
    after_it = LoomkinAuth.access_token!(auth, "dev")
    assert LoomkinAuth.Token.expose(after_it) == LoomkinAuth.Token.expose(before)
  end

  defp elixir(arguments) do
    System.cmd(System.find_executable("elixir"), arguments, stderr_to_stdout: true, cd: System.tmp_dir!())
  end
end
