//! Logins that wait: sealed, and carried through every rotation.

use super::stepped::{Event, Stepped};
use super::*;
use crate::protocol::authorization::{PendingAuthorization, request_authorization};
use crate::protocol::redirect::AuthorizationResponse;
use crate::protocol::state::StateDigest;
use crate::provider::fixture::example_provider;
use crate::store::{LoginBounds, PutOutcome, SealedLogin, TombstoneId};

/// A login that has begun, and what names it.
fn begun(browser: &str) -> (WaitingLogin, StateDigest) {
    let account = "example/work".parse().unwrap();
    let (provider, now) = (example_provider(), SystemClock.now());
    let scopes = vec!["openid".to_owned(), "repo".to_owned()];
    let (_, authorization) =
        request_authorization(&provider, account, &scopes, "https://app/cb", now, &SystemRandom).unwrap();
    let id = authorization.state_digest();
    let begun_after = LatestDisconnect(Some(TombstoneId([3; 16])));
    let binding = json!({"client_id": "canary-binding"});
    (WaitingLogin { authorization, browser: Secret::new(browser), begun_after, scopes, binding }, id)
}

pub(super) async fn keep(vault: &Vault, browser: &str) -> StateDigest {
    let (login, id) = begun(browser);
    vault.keep_pending_login(&login, SystemClock.now()).await.unwrap();
    id
}

async fn open_login(vault: &Vault, id: StateDigest) -> WaitingLogin {
    match vault.pending_login(id).await.unwrap() {
        Waiting::Open(login) => *login,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_login_comes_out_as_it_went_in() {
    let (vault, _) = vault().await;
    let (login, id) = begun("canary-browser");
    vault.keep_pending_login(&login, SystemClock.now()).await.unwrap();

    let found = open_login(&open(vault.store.clone(), Mood::Fine).await, id).await;

    assert!(found.browser.matches(&login.browser));
    assert_eq!((found.begun_after, &found.binding), (login.begun_after, &login.binding));
    assert_eq!(found.scopes, login.scopes);
    assert_eq!(found.authorization.account(), login.authorization.account());
    assert_eq!(found.authorization.state_digest(), id);
    let shown = format!("{found:?} {:?}", vault.pending_login(id).await.unwrap());
    assert!(shown.contains("example/work") && !shown.contains("canary"), "{shown}");
    assert!(!answers(&found.authorization, "forged"));
    assert!(vault.close_pending_login(id).await.unwrap());
    assert!(matches!(vault.pending_login(id).await.unwrap(), Waiting::Closed));
}

fn answers(login: &PendingAuthorization, state: &str) -> bool {
    login.is_answered_by(&AuthorizationResponse::read(&format!("code=c&state={state}")).unwrap())
}

#[tokio::test]
async fn a_login_that_was_edited_or_moved_does_not_open() {
    let (vault, store) = vault().await;
    let (one, two) = (keep(&vault, "one").await, keep(&vault, "two").await);
    let row = async |id| match store.pending_login(id).await.unwrap() {
        crate::store::FoundLogin::Open(row) => *row,
        other => panic!("{other:?}"),
    };
    let (true_row, other) = (row(one).await, row(two).await);
    let later = true_row.deadline.plus(Duration::from_secs(1));
    let hers = true_row.account.clone().for_owner(Owner::new("eve").unwrap());
    let spoilt = [
        SealedLogin { sealed: other.sealed.clone(), ..true_row.clone() },
        SealedLogin { deadline: later, ..true_row.clone() },
        SealedLogin { begun_at: later, ..true_row.clone() },
        SealedLogin { account: hers, ..true_row.clone() },
        SealedLogin { id: StateDigest([7; 32]), ..true_row.clone() },
        SealedLogin { sealed: SealedTokens(true_row.sealed.0[..60].to_vec()), ..true_row.clone() },
    ];
    for spoilt in spoilt {
        let (fresh, id) = (fresh_store_of(&vault).await, spoilt.id);
        assert_eq!(fresh.store.put_pending_login(spoilt, WIDE).await.unwrap(), PutOutcome::Kept);
        assert_eq!(fresh.pending_login(id).await.unwrap_err().code(), ErrorCode::StoreFailed);
    }
    let fresh = fresh_store_of(&vault).await;
    fresh.store.put_pending_login(true_row, WIDE).await.unwrap();
    assert!(open_login(&fresh, one).await.browser.matches(&Secret::new("one")));
}

/// An empty store with the keys of `vault`'s.
async fn fresh_store_of(vault: &Vault) -> Vault {
    let store: Arc<dyn TokenStore> =
        Arc::new(MemoryStore::new(Arc::new(SystemClock), &SystemRandom).unwrap());
    for key in vault.store.keys().await.unwrap() {
        store.add_key(key, false).await.unwrap();
    }
    Vault { store, ..vault.clone() }
}

#[tokio::test]
async fn a_rotation_carries_logins_along_wherever_it_ends() {
    for ends in [|| Event::EndsBefore, || Event::EndsAfter] {
        for at in 1.. {
            let (vault, store) = vault().await;
            let mut kept = Vec::new();
            for number in 0..40 {
                kept.push((number, keep(&vault, &format!("browser-{number}")).await));
            }
            let old_key = store.keys().await.unwrap()[0].id;
            let stepped = Stepped::new(Arc::clone(&store), at, ends());
            let dying = open(stepped.clone(), Mood::Fine).await;
            stepped.count();
            let ended = dying.rotate_key(None, &|_| ()).await;
            let is_done = !stepped.happened();
            assert_eq!(ended.is_ok(), is_done, "call {at}");
            // Whoever has had the store open since before begins one more, and finds all.
            kept.push((99, keep(&vault, "browser-99").await));
            if !is_done {
                let next = open(Arc::clone(&store), Mood::Fine).await;
                assert_eq!(next.rotate_key(None, &|_| ()).await.unwrap().kept_keys, 0, "call {at}");
            }
            let keys = store.keys().await.unwrap();
            assert!(keys.len() == 1 && keys[0].id != old_key, "call {at}");
            assert!(store.old_pending_logins(100).await.unwrap().is_empty(), "call {at}");
            for vault in [&vault, &open(Arc::clone(&store), Mood::Fine).await] {
                for (number, id) in &kept {
                    let browser = Secret::new(format!("browser-{number}"));
                    // Of one owner, the oldest have made room for the newest.
                    let is_there = kept.len() - kept.iter().position(|other| other.1 == *id).unwrap() <= 32;
                    match vault.pending_login(*id).await.unwrap() {
                        Waiting::Open(login) => assert!(is_there && login.browser.matches(&browser)),
                        Waiting::Closed => panic!("nobody has closed it"),
                        Waiting::Unknown => assert!(!is_there, "call {at}"),
                    }
                }
            }
            if is_done {
                assert!(at > 40, "a rotation of logins has more calls than {at}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_login_that_nobody_can_unseal_holds_up_no_rotation() {
    let (vault, store) = vault().await;
    let id = keep(&vault, "browser").await;
    let now = SystemClock.now();
    let spoilt = SealedLogin {
        id: StateDigest([7; 32]),
        account: "example".parse().unwrap(),
        begun_at: now,
        deadline: now,
        sealed: damaged(&vault),
    };
    store.put_pending_login(spoilt, WIDE).await.unwrap();
    let report = vault.rotate_key(None, &|_| ()).await.unwrap();
    assert_eq!((report.removed_keys, report.kept_keys), (1, 0));
    assert!(matches!(vault.pending_login(StateDigest([7; 32])).await.unwrap(), Waiting::Closed));
    assert!(open_login(&vault, id).await.browser.matches(&Secret::new("browser")));
}

const WIDE: LoginBounds = LoginBounds { of_owner: 32, in_all: 10_000 };
