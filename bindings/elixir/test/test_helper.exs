{:ok, _} = Application.ensure_all_started(:inets)
# Nothing is worth a line on the screen that a test does not look at.
Logger.configure(level: :none)
ExUnit.start(capture_log: true)
