//! Where the person's browser is, as far as the environment of the process tells.

use crate::environment::Environment;

/// Where the browser is that the person logs in with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// On another machine, or on none that could come back to this one. The reason is a clause that is safe to show.
    Elsewhere(&'static str),
    /// On this machine, or on one whose loopback interface leads to it.
    Here,
    /// Nowhere: nobody is there to log in.
    Nowhere,
}

impl Place {
    /// Judges by the variables that desktops, SSH, containers and build servers set. The first line that fits decides:
    ///
    /// | In the environment | Place |
    /// | --- | --- |
    /// | `CI` or another build server's variable, and no terminal | nowhere |
    /// | `CODESPACES`, `GITPOD_WORKSPACE_ID` | elsewhere |
    /// | `VSCODE_IPC_HOOK_CLI`: the editor opens pages on the person's machine, and forwards the port they come back to | here |
    /// | `SSH_CONNECTION`, `SSH_CLIENT`, `SSH_TTY`, also with a forwarded display: a browser there is rare, and slow | elsewhere |
    /// | `WSL_DISTRO_NAME`: Windows leads its loopback interface here | here |
    /// | macOS, Windows, `DISPLAY`, `WAYLAND_DISPLAY`, or a `BROWSER` that the person named; a container that is given a display shows its own browser there | here |
    /// | a container by its files, `container` or `KUBERNETES_SERVICE_HOST` | elsewhere |
    /// | nothing of all that | elsewhere |
    pub fn of(environment: &Environment) -> Self {
        Self::judge(environment, cfg!(any(target_os = "macos", target_os = "windows")))
    }

    fn judge(environment: &Environment, has_desktop: bool) -> Self {
        let has = |names: &[&str]| names.iter().any(|name| environment.variable(name).is_some());
        let is_in_container = environment.is_in_container() || has(&["container", "KUBERNETES_SERVICE_HOST"]);
        if is_automated(environment) && !environment.has_terminal() {
            Self::Nowhere
        } else if has(&["CODESPACES", "GITPOD_WORKSPACE_ID"]) {
            Self::Elsewhere("this workspace is in the cloud, and your browser is not")
        } else if has(&["VSCODE_IPC_HOOK_CLI"]) {
            Self::Here
        } else if has(&["SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY"]) {
            Self::Elsewhere("this is an SSH session, and your browser is on another machine")
        } else if has(&["WSL_DISTRO_NAME", "DISPLAY", "WAYLAND_DISPLAY"])
            || has_desktop
            || names_browser(environment)
        {
            Self::Here
        } else if is_in_container {
            Self::Elsewhere("this is a container, and your browser is outside of it")
        } else {
            Self::Elsewhere("there is no display here for a browser")
        }
    }
}

/// Build servers set `CI`; those listed beside it do not.
fn is_automated(environment: &Environment) -> bool {
    let says_no = |value: &str| matches!(value, "0" | "false");
    environment.variable("CI").is_some_and(|value| !says_no(value))
        || ["BUILD_BUILDID", "CODEBUILD_BUILD_ID", "JENKINS_URL", "TEAMCITY_VERSION"]
            .iter()
            .any(|name| environment.variable(name).is_some())
}

/// `BROWSER=none` is the custom of those who want nothing to be opened.
fn names_browser(environment: &Environment) -> bool {
    environment.variable("BROWSER").is_some_and(|browser| browser != "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(variables.iter().copied(), "/")
    }

    /// The first word of a reason tells them apart well enough.
    fn judge(environment: &Environment, has_desktop: bool) -> &'static str {
        match Place::judge(environment, has_desktop) {
            Place::Elsewhere(reason) => ["cloud", "SSH", "container", "display"]
                .into_iter()
                .find(|word| reason.contains(word))
                .unwrap_or(reason),
            Place::Here => "here",
            Place::Nowhere => "nowhere",
        }
    }

    #[test]
    fn each_kind_of_place_is_known_by_its_variables() {
        let ssh = ("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22");
        for (variables, place) in [
            (&[][..], "display"),
            (&[("TERM", "xterm-256color")], "display"),
            (&[("DISPLAY", ":0")], "here"),
            (&[("DISPLAY", "")], "display"),
            (&[("WAYLAND_DISPLAY", "wayland-0")], "here"),
            (&[ssh], "SSH"),
            (&[("SSH_TTY", "/dev/pts/0")], "SSH"),
            (&[("SSH_CLIENT", "192.0.2.7 50022 22")], "SSH"),
            (&[ssh, ("DISPLAY", "localhost:10.0")], "SSH"),
            (&[ssh, ("BROWSER", "firefox")], "SSH"),
            (&[ssh, ("VSCODE_IPC_HOOK_CLI", "/run/user/1000/vscode-ipc.sock")], "here"),
            (&[ssh, ("WSL_DISTRO_NAME", "Debian")], "SSH"),
            (&[("WSL_DISTRO_NAME", "Debian")], "here"),
            (&[("container", "podman")], "container"),
            (&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")], "container"),
            (&[("container", "oci"), ("WAYLAND_DISPLAY", "wayland-0")], "here"),
            (
                &[("CODESPACES", "true"), ("VSCODE_IPC_HOOK_CLI", "x"), ("BROWSER", "/vscode/browser.sh")],
                "cloud",
            ),
            (&[("GITPOD_WORKSPACE_ID", "x")], "cloud"),
            (&[("BROWSER", "w3m")], "here"),
            (&[("BROWSER", "none")], "display"),
            (&[("CI", "true")], "nowhere"),
            (&[("CI", "true"), ("DISPLAY", ":99")], "nowhere"),
            (&[("CI", "false"), ("DISPLAY", ":0")], "here"),
            (&[("JENKINS_URL", "https://ci.example.com/")], "nowhere"),
        ] {
            assert_eq!(judge(&environment(variables), false), place, "{variables:?}");
        }
    }

    #[test]
    fn a_desktop_system_has_a_display_without_saying_so() {
        assert_eq!(judge(&environment(&[]), true), "here");
        assert_eq!(judge(&environment(&[("SSH_TTY", "/dev/ttys001")]), true), "SSH");
        assert_eq!(judge(&environment(&[("CI", "true")]), true), "nowhere");
    }

    #[test]
    fn a_container_is_known_by_its_files_too() {
        assert_eq!(judge(&environment(&[]).in_container(), false), "container");
        assert_eq!(judge(&environment(&[("DISPLAY", ":0")]).in_container(), false), "here");
    }

    #[test]
    fn somebody_at_a_terminal_can_log_in_wherever_that_is() {
        assert_eq!(judge(&environment(&[("CI", "true")]).at_terminal(), false), "display");
        assert_eq!(judge(&environment(&[("CI", "1"), ("DISPLAY", ":0")]).at_terminal(), false), "here");
    }

    /// Every combination of the facts against the order in which the documentation says they decide.
    #[test]
    fn the_first_fact_that_fits_decides_in_every_combination() {
        let facts = [
            ("CI", "nowhere"),
            ("CODESPACES", "cloud"),
            ("VSCODE_IPC_HOOK_CLI", "here"),
            ("SSH_CONNECTION", "SSH"),
            ("WSL_DISTRO_NAME", "here"),
            ("DISPLAY", "here"),
            ("WAYLAND_DISPLAY", "here"),
            ("BROWSER", "here"),
            ("container", "container"),
        ];
        for chosen in 0..1_u32 << facts.len() {
            let there: Vec<_> = facts
                .iter()
                .enumerate()
                .filter(|(bit, _)| chosen >> bit & 1 == 1)
                .map(|(_, fact)| *fact)
                .collect();
            let variables: Vec<_> = there.iter().map(|(name, _)| (*name, "1")).collect();
            let expected = there.first().map_or("display", |(_, place)| place);
            assert_eq!(judge(&environment(&variables), false), expected, "{variables:?}");
        }
    }
}
