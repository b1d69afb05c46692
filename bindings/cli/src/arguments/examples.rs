//! What stands below the help of each command.

pub(super) const EXAMPLES: &str = "\
Examples:
  loomkin-auth connect github       log in with your browser
  loomkin-auth status               see every connection
  loomkin-auth token github         print a token that is good now";

pub(super) const LONG_EXAMPLES: &str = "\
Examples:
  loomkin-auth connect github       log in with your browser
  loomkin-auth status               see every connection
  loomkin-auth token github         print a token that is good now

Configuration:
  .loomkin.toml in this directory or one above it, up to the root of the repository;
  else the one in your configuration directory. `loomkin-auth config check` explains it.

Environment:
  LOOMKIN_AUTH_LOG   log to stderr, such as `debug` or `loomkin_auth=trace`; never any secret
  NO_COLOR           no colours

Exit status:
   0  done                                75  try again later
   1  the login was not finished in time  76  the server broke the protocol
  64  the command is wrong                77  connect, or connect again
  74  the store or its key               78  the configuration
 130  stopped by Ctrl-C";

pub(super) const CONNECT_EXAMPLES: &str = "\
Examples:
  loomkin-auth connect github                  log in with your browser
  loomkin-auth connect github/work             keep a second account beside it
  loomkin-auth connect                         choose from the configured providers
  loomkin-auth connect github --flow device    enter a code on any device, such as your phone
  loomkin-auth connect anthropic --flow paste  paste a code, where no browser comes back
  loomkin-auth connect github --scope gist     add a scope to those that you have granted

Without --flow it depends on where you are: at a desktop your browser comes back by itself; over
SSH, in a container and where there is no display, you enter a code on any device if the provider
has such codes, or else paste the address that your browser ends up at. It says what it chose.

At a terminal it asks for the way where a key would do as well; --flow answers that, and so does
every other option of a login. What it offers first falls back on the next if it cannot begin.
The address to open is printed alone on a line of stderr.
What was connected before stays as it is until the new login is stored.";

pub(super) const DISCONNECT_EXAMPLES: &str = "\
Examples:
  loomkin-auth disconnect github/work   end this connection
  loomkin-auth disconnect               end the active one
  loomkin-auth disconnect --all         end all of them
  loomkin-auth disconnect --local       delete it here, and let it live on at the provider

What a provider that is away cannot revoke now is tried again for a day, unless you connect again.";

pub(super) const STATUS_EXAMPLES: &str = "\
Examples:
  loomkin-auth status
  loomkin-auth status --watch
  loomkin-auth status --json | jq -r '.[] | select(.state != \"connected\") | .next_step'";

pub(super) const TOKEN_EXAMPLES: &str = "\
Examples:
  printf 'Authorization: Bearer %s\\n' \"$(loomkin-auth token github)\" |
    curl -H @- https://api.github.com/user
  loomkin-auth token --json | jq -r .expires_at

The token is refreshed if need be, once, however many ask at the same time.";

pub(super) const USE_EXAMPLES: &str = "\
Examples:
  loomkin-auth use github/work   make this the active connection
  loomkin-auth use --none        have none";

pub(super) const ME_EXAMPLES: &str = "\
Examples:
  loomkin-auth me
  loomkin-auth me --json | jq -r .account_login";

pub(super) const KEY_SET_EXAMPLES: &str = "\
Examples:
  loomkin-auth key set openai                        paste the key; it stays hidden
  loomkin-auth key set github --token < token.txt    a bearer token, from a file
  pass show openai | loomkin-auth key set openai     from a password manager

A key is never an argument: every user of the machine could read it.
One that is there already stays, unless you say --replace.";

pub(super) const KEY_REMOVE_EXAMPLES: &str = "\
Examples:
  loomkin-auth key remove openai
  loomkin-auth key remove github --token

The provider still accepts the key: revoke it on the provider's pages if it has leaked.";

pub(super) const RESOLVE_EXAMPLES: &str = "\
Examples:
  loomkin-auth resolve fast            of the tier [auth.tiers.fast]
  loomkin-auth resolve openai          of a provider
  loomkin-auth resolve fast --json | jq -r .source

It never prints the credential: `loomkin-auth token` does, of what is stored.
API keys count first, then auth tokens, then the login; of each, the configuration, then the
environment, then the store. auth_mode of the tier says which of them are looked for.";

pub(super) const DOCTOR_EXAMPLES: &str = "\
Examples:
  loomkin-auth doctor             look at everything on this machine
  loomkin-auth doctor --probe     and at the providers
  loomkin-auth doctor --json | jq -r '.findings[] | select(.severity == \"error\") | .remedy'

It changes nothing, and works where nothing else does: without a configuration that can be read,
or a store that can be opened.

Exit status: 0 for nothing but notes, 1 for warnings, else that of the first error.";

pub(super) const IMPORT_EXAMPLES: &str = "\
Examples:
  loomkin-auth import ~/.local/share/agent/auth.json
  loomkin-auth import logins.json --replace

Two shapes are read. By provider, as earlier agents keep it:
  {\"anthropic\": {\"access\": \"…\", \"refresh\": \"…\", \"expires\": 1772357400000},
   \"openai\": {\"api_key\": \"…\"}, \"github\": {\"auth_token\": \"…\"}}
Or as a list, with named accounts:
  {\"logins\": [{\"account\": \"github/work\", \"access_token\": \"…\", \"refresh_token\": \"…\",
               \"expires_at\": \"2026-03-01T09:30:00Z\", \"scopes\": [\"repo\"]},
              {\"account\": \"openai\", \"api_key\": \"…\"}]}

A login needs the client_id that it was made with in the configuration. What is there already
stays, unless you say --replace. A bad entry is named, and keeps no other from being stored.";

pub(super) const REDACT_EXAMPLES: &str = "\
Examples:
  loomkin-auth redact < app.log > clean.log
  tail -f app.log | loomkin-auth redact
  curl -v https://api.github.com/user 2>&1 | loomkin-auth redact

It masks what looks like a secret: tokens, codes, keys, passwords, headers, JWTs, private keys and
e-mail addresses. Read the result before you show it to anybody: no one knows every secret's looks.
No configuration and no store is needed. A line appears when it ends.";

pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  loomkin-auth config check
  loomkin-auth config check ../app/.loomkin.toml";

pub(super) const SHOW_EXAMPLES: &str = "\
Examples:
  loomkin-auth config show
  loomkin-auth config show --json | jq -r '.[] | select(.origin == \"default\") | .key'";

pub(super) const SCHEMA_EXAMPLES: &str = "\
Examples:
  loomkin-auth config schema > loomkin.schema.json";

pub(super) const ROTATE_KEY_EXAMPLES: &str = "\
Examples:
  loomkin-auth store rotate-key                      a new key from the same place
  loomkin-auth store rotate-key --key keychain       and from now on from the keychain
  loomkin-auth store rotate-key --key env:AUTH_KEY2  and from now on from this variable

Nobody has to log in again. It may be stopped at any moment: run it again, and it finishes.
With another SOURCE, change key under [auth.store] too.
To replace the secret behind a variable or a file, put the new one under another name and
rotate to that: the old one is needed until the end.";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  loomkin-auth completions bash > ~/.local/share/bash-completion/completions/loomkin-auth
  loomkin-auth completions zsh > \"${fpath[1]}/_loomkin-auth\"
  loomkin-auth completions fish > ~/.config/fish/completions/loomkin-auth.fish

It completes the names of your providers, accounts and tiers too, by asking the program itself.
No token is read for that, and nothing is asked over the network.";

pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  loomkin-auth man > loomkin-auth.1
  loomkin-auth man key set > loomkin-auth-key-set.1";
