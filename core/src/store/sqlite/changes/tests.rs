use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::*;
use crate::environment::Environment;
use crate::random::SystemRandom;

/// A directory for a mark.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("auth.db")
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("auth.db.changes")
    }

    /// The mark as another process has it.
    fn open(&self) -> Changes {
        Changes::open(&self.store()).unwrap()
    }

    fn with(bytes: &[u8]) -> Self {
        let place = Self::new();
        place.open();
        fs::write(place.file(), bytes).unwrap();
        place
    }
}

fn begin(changes: &Changes) -> Begun<'_> {
    changes.begin(&SystemRandom).unwrap()
}

fn write(changes: &Changes) {
    begin(changes).finish();
}

fn is_quiet(changes: &Changes) -> bool {
    changes.mark() == changes.mark()
}

#[test]
fn a_mark_stays_until_somebody_writes() {
    let place = Place::new();
    let (writer, reader) = (place.open(), place.open());
    write(&writer);
    let before = reader.mark();
    assert_eq!(reader.mark(), before);
    write(&writer);
    assert_ne!(reader.mark(), before);
    assert_eq!(reader.mark(), writer.mark());
}

#[test]
fn a_change_shows_from_before_its_commit_and_nothing_is_quiet_meanwhile() {
    let place = Place::new();
    let (writer, reader) = (place.open(), place.open());
    write(&writer);
    let before = reader.mark();
    let begun = begin(&writer);
    assert_ne!(reader.mark(), before);
    assert!(!is_quiet(&reader));
    begun.finish();
    assert!(is_quiet(&reader));
}

#[test]
fn a_writer_that_died_after_its_commit_leaves_nothing_quiet_whatever_an_earlier_one_says_late() {
    let place = Place::new();
    let (earlier, dead, reader) = (place.open(), place.open(), place.open());
    let late = begin(&earlier);
    // The earlier one has committed, so that the next may begin; it has not said so yet.
    let _dies_before_it_says_so = begin(&dead);
    late.finish();
    assert!(!is_quiet(&reader), "the dead one's change would never be seen");
    write(&earlier);
    assert!(is_quiet(&reader), "the next writer makes readers quick again");
}

#[test]
fn a_writer_that_is_late_does_not_take_back_what_a_later_one_said() {
    let place = Place::new();
    let (slow, quick) = (place.open(), place.open());
    let late = begin(&slow);
    write(&quick);
    let mark = quick.mark();
    late.finish();
    assert_eq!(quick.mark(), mark);
}

#[test]
fn a_file_that_is_new_or_short_is_quiet_from_its_first_writer_on() {
    for bytes in [&[][..], &[0; 8], &[7; 20]] {
        let place = Place::with(bytes);
        let changes = place.open();
        assert!(!is_quiet(&changes), "{bytes:?}");
        write(&changes);
        assert!(is_quiet(&changes), "{bytes:?}");
    }
}

#[test]
fn new_files_repeat_no_mark() {
    let [one, other] = [Place::new(), Place::new()].map(|place| {
        let changes = place.open();
        write(&changes);
        changes.mark()
    });
    assert_ne!(one, other);
}

#[test]
fn the_file_of_an_earlier_version_is_taken_over_and_tells_that_version_to_look_for_itself() {
    let place = Place::with(&[2, 0, 0, 0, 0, 0, 0, 0]);
    let changes = place.open();
    assert!(!is_quiet(&changes));
    write(&changes);
    assert!(is_quiet(&changes));
    assert_eq!(fs::read(place.file()).unwrap()[0] % 2, 1, "an even number would be a mark to it");
}

#[test]
fn what_an_earlier_version_writes_is_a_change() {
    let place = Place::new();
    let changes = place.open();
    write(&changes);
    let before = changes.mark();
    // What it wrote before its commits, and after them.
    for number in [1_u64, 4] {
        fs::OpenOptions::new()
            .write(true)
            .open(place.file())
            .and_then(|mut file| std::io::Write::write_all(&mut file, &number.to_le_bytes()))
            .unwrap();
        assert_ne!(changes.mark(), before);
        assert!(!is_quiet(&changes));
    }
    write(&changes);
    assert!(is_quiet(&changes));
    assert_ne!(changes.mark(), before);
}

#[cfg(unix)]
#[test]
fn a_file_that_is_cut_short_under_its_readers_is_not_quiet_until_the_next_writer() {
    let place = Place::new();
    let changes = place.open();
    write(&changes);
    for length in [8, 16, 24] {
        let before = changes.mark();
        fs::OpenOptions::new().write(true).open(place.file()).unwrap().set_len(length).unwrap();
        assert!(length == 24 || !is_quiet(&changes), "{length}");
        write(&changes);
        assert!(is_quiet(&changes), "{length}");
        assert_ne!(changes.mark(), before);
    }
}

#[cfg(unix)]
#[test]
fn a_removed_file_is_made_anew_by_a_writer_who_tells_those_that_still_look_at_it() {
    let place = Place::new();
    let (writer, reader) = (place.open(), place.open());
    write(&writer);
    let before = reader.mark();
    fs::remove_file(place.file()).unwrap();
    write(&writer);
    assert_ne!(reader.mark(), before);
    assert!(!is_quiet(&reader), "it looks at the old file, and does not believe it");
    reader.look().unwrap();
    assert_eq!(reader.mark(), writer.mark());
}

#[cfg(unix)]
#[test]
fn a_replaced_file_is_found_by_who_looks_even_if_its_writer_never_knew_the_old_one() {
    let place = Place::new();
    let reader = place.open();
    write(&reader);
    let before = reader.mark();
    fs::remove_file(place.file()).unwrap();
    let stranger = place.open();
    write(&stranger);
    assert_eq!(reader.mark(), before, "so much cannot be seen without a look");
    reader.look().unwrap();
    assert_eq!(reader.mark(), stranger.mark());
    assert_ne!(reader.mark(), before);
}

#[cfg(unix)]
#[test]
fn without_a_file_nothing_is_quiet_and_nothing_is_written() {
    let place = Place::new();
    let changes = place.open();
    write(&changes);
    fs::remove_file(place.file()).unwrap();
    fs::create_dir(place.file()).unwrap();
    assert!(changes.look().is_err());
    assert!(!is_quiet(&changes));
    assert!(changes.begin(&SystemRandom).is_err());
}

#[test]
fn a_process_that_is_killed_between_its_commit_and_its_word_leaves_nothing_quiet() {
    let place = Place::new();
    let reader = place.open();
    write(&reader);
    let before = reader.mark();
    let name = "store::sqlite::changes::tests::begin_and_wait_to_be_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", name, "--nocapture"])
        .env(STORE, place.store())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let has_begun = lines.map_while(Result::ok).any(|line| line.contains(BEGUN));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(has_begun);
    assert_ne!(reader.mark(), before);
    assert!(!is_quiet(&reader));
}

/// What the test above starts as a process of its own.
#[test]
#[ignore = "a part of another test"]
fn begin_and_wait_to_be_killed() {
    let store = Environment::from_process().variable(STORE).map(PathBuf::from).unwrap();
    let changes = Changes::open(&store).unwrap();
    let _begun = begin(&changes);
    println!("{BEGUN}");
    loop {
        std::thread::park();
    }
}

const STORE: &str = "LOOMKIN_AUTH_TEST_STORE";
const BEGUN: &str = "the writer has begun";
