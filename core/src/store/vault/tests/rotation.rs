//! The key is rotated while everybody goes on, and whatever ends in between.

use super::stepped::{Event, Stepped};
use super::*;
use crate::store::{FailureKind, Replace, StaticKind};

/// A store with more connections than fit into one batch, and what was read of it at first.
struct World {
    store: Arc<dyn TokenStore>,
    before: Vec<Entry>,
    old_key: [u8; 8],
}

impl World {
    async fn new() -> Self {
        let (vault, store) = vault().await;
        for number in 0..CONNECTIONS {
            let name = name(number);
            vault
                .connect(&name, &tokens(&format!("old-{number}")), ada(), json!({ "of": number }))
                .await
                .unwrap();
        }
        for number in 0..CREDENTIALS {
            let secret = BoundSecret { secret: Secret::new(format!("key-{number}")), base_url: None };
            vault.store_credential(&name(number), StaticKind::ApiKey, &secret, Replace::No).await.unwrap();
        }
        // One has failed, and one is being refreshed.
        for (number, failure) in [(1, true), (2, false)] {
            let entry = vault.load(&name(number)).await.unwrap().unwrap();
            let attempt = vault.make_attempt().unwrap();
            vault.claim(&entry, attempt, LEASE).await.unwrap();
            if failure {
                let (presented, at) = (entry.record.refresh_digest.unwrap(), Timestamp::from_unix_seconds(5));
                let kind = FailureKind::Unknown;
                let failure = Failure { kind, presented, in_a_row: 2, at, next_attempt_at: None };
                vault.abandon(&name(number), attempt, Some(failure)).await.unwrap();
            }
        }
        let mut before = Vec::new();
        for number in 0..CONNECTIONS {
            before.push(vault.load(&name(number)).await.unwrap().unwrap());
        }
        let old_key = store.keys().await.unwrap()[0].id;
        Self { store, before, old_key }
    }

    async fn vault(&self) -> Vault {
        open(Arc::clone(&self.store), Mood::Fine).await
    }

    /// A process to which `event` happens at its call `at`, counted from now.
    async fn stepped(&self, at: usize, event: Event) -> (Vault, Arc<Stepped>) {
        let stepped = Stepped::new(Arc::clone(&self.store), at, event);
        let vault = open(stepped.clone(), Mood::Fine).await;
        stepped.count();
        (vault, stepped)
    }

    /// Everything is as it was, but for `touched`, and `vault` can read it.
    async fn is_whole(&self, vault: &Vault, touched: &[AccountKey], when: &str) {
        for before in self.before.iter().filter(|entry| !touched.contains(&entry.record.account)) {
            let now = vault.load(&before.record.account).await.unwrap().unwrap();
            assert_eq!(
                payload::encode(&now.tokens, &now.binding),
                payload::encode(&before.tokens, &before.binding)
            );
            let (now, before) = (now.record, &before.record);
            assert!(now.columns == before.columns && now.connection == before.connection, "{when}");
            assert_eq!((now.revision, now.updated_at), (before.revision, before.updated_at), "{when}");
            assert_eq!((now.claim, now.failure), (before.claim, before.failure), "{when}");
            assert_eq!(now.refresh_digest, before.refresh_digest, "{when}");
        }
        for number in 0..CREDENTIALS {
            let found = vault.credentials_of(&name(number)).await.unwrap().pop().unwrap();
            assert!(found.secret.unwrap().secret.matches(&Secret::new(format!("key-{number}"))), "{when}");
        }
    }

    /// One key is left, another than the old one, and everything is under it.
    async fn is_rotated(&self, when: &str) {
        let keys = self.store.keys().await.unwrap();
        assert!(keys.len() == 1 && keys[0].id != self.old_key, "{when}");
        assert!(self.store.old_seals(None, 100).await.unwrap().is_empty(), "{when}");
        assert_eq!(self.store.old_credential(None).await.unwrap(), None, "{when}");
    }
}

fn name(number: usize) -> AccountKey {
    format!("dev/account-{number:02}").parse().unwrap()
}

fn unheard(_: u64) {}

fn is(entry: &Entry, access_token: &str) -> bool {
    entry.tokens.access_token.matches(&Secret::new(access_token))
}

#[tokio::test]
async fn a_rotation_seals_everything_anew_and_nothing_else_changes() {
    let world = World::new().await;
    let report = world.vault().await.rotate_key(None, &unheard).await.unwrap();
    let told = (report.made_key, report.finished_earlier, report.resealed, report.removed_keys);
    assert_eq!(told, (true, false, (CONNECTIONS + CREDENTIALS) as u64, 1));
    assert_eq!((report.kept_keys, report.damaged.len(), report.source), (0, 0, KeySetting::Auto));
    world.is_rotated("at the end").await;
    world.is_whole(&world.vault().await, &[], "at the end").await;
}

#[tokio::test]
async fn a_rotation_that_ends_at_any_call_is_finished_by_the_next() {
    for ends in [|| Event::EndsBefore, || Event::EndsAfter] {
        for at in 1.. {
            let when = format!("call {at}");
            let world = World::new().await;
            let bystander = world.vault().await;
            let (dying, stepped) = world.stepped(at, ends()).await;
            let ended = dying.rotate_key(None, &unheard).await;
            if !stepped.happened() {
                ended.unwrap();
                assert!(at > 10, "a rotation has more calls than {at}");
                break;
            }
            assert_eq!(ended.unwrap_err().message(), "the process has ended", "{when}");

            world.is_whole(&bystander, &[], &when).await;
            world.is_whole(&world.vault().await, &[], &when).await;
            let late = "dev/late".parse().unwrap();
            bystander.connect(&late, &tokens("late"), ada(), json!("late")).await.unwrap();
            refresh(&bystander, &name(3)).await;

            let was_unfinished = world.store.keys().await.unwrap().len() > 1;
            let report = world.vault().await.rotate_key(None, &unheard).await.unwrap();
            assert_eq!(
                (report.finished_earlier, report.made_key),
                (was_unfinished, !was_unfinished),
                "{when}"
            );
            world.is_rotated(&when).await;
            for vault in [&bystander, &world.vault().await] {
                world.is_whole(vault, &[name(3)], &when).await;
                is_refreshed(vault, &name(3)).await;
                let late = vault.load(&late).await.unwrap().unwrap();
                assert!(late.tokens.access_token.matches(&Secret::new("late-access")), "{when}");
            }
        }
    }
}

#[tokio::test]
async fn whoever_has_the_store_open_goes_on_at_every_call_of_a_rotation() {
    for at in 1.. {
        let when = format!("call {at}");
        let world = World::new().await;
        let bystander = world.vault().await;
        // The answer came and was sealed before the rotation; it is stored in the middle of it.
        let entry = bystander.load(&name(2)).await.unwrap().unwrap();
        let renewal = bystander.seal_renewal(&entry, &renewed()).unwrap();
        let acting = bystander.clone();
        let acts = move || {
            let (vault, renewal) = (acting.clone(), renewal.clone());
            async move {
                assert!(matches!(vault.commit(&renewal).await.unwrap(), Committed::Committed));
                refresh(&vault, &name(3)).await;
                vault.connect(&name(4), &tokens("again"), ada(), json!("again")).await.unwrap();
                assert!(matches!(
                    vault.disconnect(&name(5), None).await.unwrap(),
                    Disconnected::Deleted { .. }
                ));
                let new = "dev/new".parse().unwrap();
                vault.connect(&new, &tokens("new"), ada(), json!("new")).await.unwrap();
                vault.load(&name(6)).await.unwrap().unwrap();
            }
        };
        let (rotating, stepped) = world.stepped(at, Event::somebody(acts)).await;
        let report = rotating.rotate_key(None, &unheard).await.unwrap();
        if !stepped.happened() {
            assert!(at > 10, "a rotation has more calls than {at}");
            break;
        }
        assert!(report.made_key && report.kept_keys == 0, "{when}");
        world.is_rotated(&when).await;
        let touched: Vec<_> = (2..=5).map(name).collect();
        for vault in [&bystander, &rotating, &world.vault().await] {
            world.is_whole(vault, &touched, &when).await;
            is_refreshed(vault, &name(2)).await;
            is_refreshed(vault, &name(3)).await;
            let again = vault.load(&name(4)).await.unwrap().unwrap();
            assert!(again.tokens.access_token.matches(&Secret::new("again-access")), "{when}");
            assert!(vault.load(&name(5)).await.unwrap().is_none(), "{when}");
            let new = vault.load(&"dev/new".parse().unwrap()).await.unwrap().unwrap();
            assert_eq!(*new.binding, json!("new"), "{when}");
        }
    }
}

#[tokio::test]
async fn a_rotation_may_begin_at_every_call_of_another() {
    for at in 1.. {
        let when = format!("call {at}");
        let world = World::new().await;
        let second = Arc::new(std::sync::Mutex::new(None));
        let (other, slot) = (world.vault().await, Arc::clone(&second));
        let acts = move || {
            let (other, slot) = (other.clone(), Arc::clone(&slot));
            async move {
                let task = tokio::spawn(async move { other.rotate_key(None, &unheard).await.unwrap() });
                // It goes as far as it can: to its end, or to the lock that the first one has.
                for _ in 0..1000 {
                    tokio::task::yield_now().await;
                }
                *slot.lock().unwrap() = Some(task);
            }
        };
        let (first, stepped) = world.stepped(at, Event::somebody(acts)).await;
        first.rotate_key(None, &unheard).await.unwrap();
        if !stepped.happened() {
            break;
        }
        let second = second.lock().unwrap().take().unwrap();
        assert_eq!(second.await.unwrap().kept_keys, 0, "{when}");
        world.is_rotated(&when).await;
        for vault in [&first, &world.vault().await] {
            world.is_whole(vault, &[], &when).await;
        }
    }
}

#[tokio::test]
async fn a_reader_that_is_overtaken_by_two_rotations_reads_again() {
    let world = World::new().await;
    for _ in 0..3 {
        let other = world.vault().await;
        let acts = move || {
            let other = other.clone();
            async move {
                other.rotate_key(None, &unheard).await.unwrap();
            }
        };
        // The record names a second key by the first call; a third one replaces it before the keys are asked for.
        let (reader, stepped) = world.stepped(2, Event::somebody(acts)).await;
        world.vault().await.rotate_key(None, &unheard).await.unwrap();
        let entry = reader.load(&name(7)).await.unwrap().unwrap();
        assert!(stepped.happened());
        assert!(entry.tokens.access_token.matches(&Secret::new("old-7-access")));
    }
}

#[tokio::test]
async fn a_record_deleted_under_an_old_key_is_read_although_the_key_goes_with_it() {
    let world = World::new().await;
    let (dying, _) = world.stepped(6, Event::EndsAfter).await;
    dying.rotate_key(None, &unheard).await.unwrap_err();
    let left = world.store.old_seals(None, 1).await.unwrap().pop().unwrap().record.account;

    let other = world.vault().await;
    let acts = move || {
        let other = other.clone();
        async move {
            other.rotate_key(None, &unheard).await.unwrap();
        }
    };
    // To ask for the keys after the deletion would be too late.
    let (deleting, stepped) = world.stepped(2, Event::somebody(acts)).await;
    assert!(matches!(deleting.disconnect(&left, None).await.unwrap(), Disconnected::Deleted { .. }));
    assert!(!stepped.happened());
}

#[tokio::test]
async fn what_cannot_be_unsealed_is_named_and_keeps_its_key() {
    let world = World::new().await;
    let vault = world.vault().await;
    let damaged_accounts = [name(8), name(39)];
    for account in &damaged_accounts {
        let entry = vault.load(account).await.unwrap().unwrap();
        let Record { connection, columns, refresh_digest, .. } = entry.record;
        let sealed = damaged(&vault);
        let login = NewConnection {
            account: account.clone(),
            connection,
            columns,
            sealed,
            refresh_digest,
            begun_after: None,
        };
        world.store.connect(login).await.unwrap();
    }
    for first in [true, false] {
        let report = vault.rotate_key(None, &unheard).await.unwrap();
        assert_eq!((report.made_key, report.finished_earlier), (first, !first));
        assert_eq!((report.kept_keys, &report.damaged[..]), (1, &damaged_accounts[..]));
        assert_eq!(report.resealed, if first { (CONNECTIONS + CREDENTIALS) as u64 - 2 } else { 0 });
    }
    world.is_whole(&vault, &damaged_accounts, "with damaged records").await;
    for account in &damaged_accounts {
        assert!(matches!(
            vault.disconnect(account, None).await.unwrap(),
            Disconnected::DeletedUnreadable { .. }
        ));
    }
    let report = vault.rotate_key(None, &unheard).await.unwrap();
    assert_eq!((report.kept_keys, report.removed_keys, report.made_key), (0, 1, false));
    world.is_rotated("without the damaged records").await;
}

#[tokio::test]
async fn a_record_read_before_a_rotation_by_the_same_process_opens_after_it() {
    let world = World::new().await;
    let slot: Arc<std::sync::Mutex<Option<Vault>>> = Arc::default();
    let itself = Arc::clone(&slot);
    let acts = move || {
        let vault = itself.lock().unwrap().clone().unwrap();
        async move {
            vault.rotate_key(None, &unheard).await.unwrap();
        }
    };
    let (reader, stepped) = world.stepped(1, Event::somebody_after(acts)).await;
    *slot.lock().unwrap() = Some(reader.clone());
    let entry = reader.load(&name(7)).await.unwrap().unwrap();
    assert!(stepped.happened() && entry.tokens.access_token.matches(&Secret::new("old-7-access")));
    world.is_rotated("while a record was read").await;
    slot.lock().unwrap().take();
}

#[tokio::test]
async fn what_is_put_in_under_a_key_that_was_removed_is_not_taken() {
    let world = World::new().await;
    let (rotating, bystander) = (world.vault().await, world.vault().await);
    let stolen = rotating.keys.ring();
    let (dying, _) = world.stepped(6, Event::EndsAfter).await;
    dying.rotate_key(None, &unheard).await.unwrap_err();
    // It learns of the new key while the old one is still good, and nothing makes it look again.
    bystander.load(&name(0)).await.unwrap().unwrap();
    assert_eq!(bystander.keys.ring().older().count(), 1);
    rotating.rotate_key(None, &unheard).await.unwrap();

    let mut forged = rotating.load(&name(9)).await.unwrap().unwrap();
    forged.tokens.access_token = Secret::new("forged");
    forged.record.sealed = rotating.seal(&stolen, &forged).unwrap();
    assert!(Vault::open_with(&stolen, forged.record.clone()).is_ok());
    for vault in [&rotating, &bystander, &world.vault().await] {
        // It is refused, or what is in the store instead is read.
        let read = unseal(vault, forged.record.clone()).await;
        assert!(read.is_err() || is(&read.unwrap(), "old-9-access"));
    }
}

#[tokio::test]
async fn progress_is_told_from_nothing_to_everything() {
    let world = World::new().await;
    let told = std::sync::Mutex::new(Vec::new());
    world.vault().await.rotate_key(None, &|count| told.lock().unwrap().push(count)).await.unwrap();
    let told = told.into_inner().unwrap();
    assert!(
        told.len() > 1 && told.is_sorted() && told.last() == Some(&((CONNECTIONS + CREDENTIALS) as u64)),
        "{told:?}"
    );
}

fn renewed() -> TokenSet {
    let mut answer = tokens("renewed");
    answer.issued_at = Timestamp::from_unix_seconds(4000);
    answer
}

async fn refresh(vault: &Vault, account: &AccountKey) {
    let entry = vault.load(account).await.unwrap().unwrap();
    let claimed = vault.claim(&entry, vault.make_attempt().unwrap(), LEASE).await.unwrap();
    let Claimed::Claimed { entry, orphaned: false, .. } = claimed else { panic!("was not granted") };
    let renewal = vault.seal_renewal(&entry, &renewed()).unwrap();
    assert!(matches!(vault.commit(&renewal).await.unwrap(), Committed::Committed));
}

async fn is_refreshed(vault: &Vault, account: &AccountKey) {
    let entry = vault.load(account).await.unwrap().unwrap();
    assert!(entry.tokens.access_token.matches(&Secret::new("renewed-access")));
    assert!(entry.tokens.refresh_token.unwrap().matches(&Secret::new("renewed-refresh")));
    assert_eq!((entry.record.revision, entry.record.claim), (1, None));
}

const CONNECTIONS: usize = 40;
const CREDENTIALS: usize = 3;
const LEASE: Duration = Duration::from_secs(600);

#[tokio::test]
async fn what_came_late_is_queued_under_the_newest_key() {
    let world = World::new().await;
    let (vault, other) = (world.vault().await, world.vault().await);
    let entry = vault.load(&name(3)).await.unwrap().unwrap();
    let renewal = vault.seal_renewal(&entry, &tokens("late")).unwrap();
    other.rotate_key(None, &unheard).await.unwrap();
    let terms = RevocationTerms { lease: Duration::ZERO, lasts: Duration::MAX };
    other.disconnect(&name(3), Some(terms)).await.unwrap();

    assert!(matches!(vault.commit(&renewal).await.unwrap(), Committed::Disconnected));
    let waiting = vault.queue_revocation(&renewal.entry, terms).await.unwrap().unwrap();

    assert!(is(&other.open_revocation(&waiting).await.unwrap(), "late-access"));
    world.is_rotated("with an answer that came late").await;
}
