//! Finding the file and reading it: the only input this layer does.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};

/// The file that counts: the first of those named at [`super::Config::discover`] that is there.
///
/// Whatever lies under the name counts as there, so that a directory or an unreadable file is reported, not passed
/// over for another file.
pub(super) fn discover(environment: &Environment) -> Option<PathBuf> {
    let project = project_directories(environment).map(|directory| directory.join(PROJECT_FILE));
    let user = user_directory(environment).map(|directory| directory.join("loomkin").join(USER_FILE));
    project.chain(user).find(|path| is_there(path))
}

/// The text of the file, wiped when it is dropped: secrets may stand in it.
///
/// `shown` is the file's name in messages.
pub(super) fn read(path: &Path, shown: &str) -> Result<Zeroizing<Vec<u8>>> {
    let fail =
        |message: String, advice: &str| Error::new(ErrorCode::ConfigInvalid, message).with_advice(advice);
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::IsADirectory => {
            fail(format!("{shown} is a directory, not a file"), "Name a file, or move the directory away.")
        }
        io::ErrorKind::NotFound => fail(format!("there is no file {shown}"), "Name a file that exists."),
        io::ErrorKind::PermissionDenied => fail(
            format!("{shown} may not be read by this user"),
            "Give yourself the right to read it, or name another file.",
        ),
        kind => fail(format!("{shown} cannot be read: {kind}"), "Check the disk and the path."),
    };
    let file = fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(unreadable(io::ErrorKind::IsADirectory.into()));
    }
    // The whole size at once, and room to see the end: a buffer that grows leaves unwiped copies behind. What says
    // that it is empty may be a pipe.
    let size = usize::try_from(metadata.len()).unwrap_or(MAX_BYTES).min(MAX_BYTES);
    let mut text = Zeroizing::new(Vec::with_capacity(if size == 0 { MAX_BYTES } else { size } + 32));
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() > MAX_BYTES {
        return Err(fail(
            format!("{shown} is larger than 1 MiB"),
            "Name a configuration file; this one cannot be meant.",
        ));
    }
    Ok(text)
}

/// The working directory and its parents, up to the repository's root or home.
///
/// Where neither lies above, the working directory stands alone: a parent such as `/tmp` may be somebody else's.
fn project_directories(environment: &Environment) -> impl Iterator<Item = PathBuf> {
    let here = environment.current_dir();
    let home = environment.home();
    let is_last = |directory: &Path| is_there(&directory.join(".git")) || home.as_deref() == Some(directory);
    let depth = here.ancestors().position(is_last).unwrap_or(0);
    here.ancestors().take(depth + 1).map(Path::to_owned).collect::<Vec<_>>().into_iter()
}

fn user_directory(environment: &Environment) -> Option<PathBuf> {
    // The XDG specification has relative paths ignored.
    let variable = |name| environment.variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        variable("APPDATA")
    } else {
        let below_home = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".config" };
        variable("XDG_CONFIG_HOME").or_else(|| Some(environment.home()?.join(below_home)))
    }
}

fn is_there(path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    }
}

const MAX_BYTES: usize = 1024 * 1024;
const PROJECT_FILE: &str = ".loomkin.toml";
const USER_FILE: &str = "loomkin.toml";

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new(files: &[&str]) -> Self {
            let tree = tempfile::tempdir().unwrap();
            for file in files {
                let path = tree.path().join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }
            Self(tree)
        }

        fn discovered(&self, home: &str, here: &str) -> Option<String> {
            let (home, here) = (self.0.path().join(home), self.0.path().join(here));
            fs::create_dir_all(&here).unwrap();
            let environment = Environment::new([("HOME", home.to_str().unwrap())], here);
            let found = discover(&environment)?;
            Some(found.strip_prefix(self.0.path()).unwrap().to_str().unwrap().to_owned())
        }
    }

    #[test]
    fn the_nearest_file_up_to_the_repository_counts() {
        let tree = Tree::new(&["home/.loomkin.toml", "home/app/.git/HEAD", "home/app/lib/.loomkin.toml"]);
        assert_eq!(tree.discovered("home", "home/app/lib/deep").unwrap(), "home/app/lib/.loomkin.toml");
        assert_eq!(tree.discovered("home", "home/app/src"), None);
        assert_eq!(tree.discovered("home", "home/other/deep").unwrap(), "home/.loomkin.toml");
    }

    #[test]
    fn a_parent_outside_home_and_repository_is_not_trusted() {
        let tree = Tree::new(&["tmp/.loomkin.toml", "tmp/mine/.loomkin.toml"]);
        assert_eq!(tree.discovered("home", "tmp/mine/deep"), None);
        assert_eq!(tree.discovered("home", "tmp/mine").unwrap(), "tmp/mine/.loomkin.toml");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_users_file_comes_last() {
        let user = "home/.config/loomkin/loomkin.toml";
        let tree = Tree::new(&[user, "home/app/.git/HEAD"]);
        assert_eq!(tree.discovered("home", "home/app").unwrap(), user);
        fs::create_dir(tree.0.path().join("home/app/.loomkin.toml")).unwrap();
        assert_eq!(tree.discovered("home", "home/app").unwrap(), "home/app/.loomkin.toml");
    }

    #[test]
    fn what_cannot_be_a_configuration_is_refused_with_a_sentence() {
        let tree = Tree::new(&["largest", "large"]);
        let path = |name: &str| tree.0.path().join(name);
        fs::write(path("largest"), vec![b'#'; MAX_BYTES]).unwrap();
        fs::write(path("large"), vec![b'#'; MAX_BYTES + 1]).unwrap();
        assert_eq!(read(&path("largest"), "x").unwrap().len(), MAX_BYTES);
        for (name, message) in [
            ("large", "x is larger than 1 MiB"),
            ("missing", "there is no file x"),
            ("", "x is a directory, not a file"),
        ] {
            let error = read(&path(name), "x").unwrap_err();
            assert_eq!((error.code(), error.message()), (ErrorCode::ConfigInvalid, message));
        }
    }
}
