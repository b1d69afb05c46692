//! Bringing in what another tool has kept.

use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::Auth;
use crate::account::{AccountKey, Owner};
use crate::credential::CredentialKind;
use crate::error::{Error, ErrorCode, Result};
use crate::import::{self, ImportedCredential, ImportedLogin};
use crate::lifecycle::ImportOutcome;
use crate::store::Replace;
use crate::store::vault::{Identity, KeyOutcome};

/// An entry of a file that is kept by now, or was kept before.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Imported {
    /// Whose it is.
    pub account: AccountKey,
    /// What it is.
    pub kind: CredentialKind,
    /// What became of it.
    pub outcome: ImportOutcome,
}

impl Auth {
    /// Brings the logins and keys of the file at `path` in, for `owner`; see [`import`] for what can be
    /// read. The file is left as it was. Each entry stands for itself: one that fails keeps no other from being kept.
    ///
    /// What is there already stays, unless it is to be replaced. The active account stays active; where there is none,
    /// the first connection that is brought in becomes it.
    ///
    /// # Errors
    ///
    /// `usage` when the file cannot be read, or is none of the shapes. An entry's own error is in its place: `usage` for
    /// one that makes no sense or is of an unknown provider, `not_connected` for tokens of a provider that nobody can log
    /// in to with this configuration, `store_failed`, `key_unavailable`.
    pub async fn import(
        &self,
        path: &Path,
        owner: &Owner,
        replace: Replace,
    ) -> Result<Vec<Result<Imported>>> {
        let content = read_file(path)?;
        let active = self.lifecycle.vault().active(owner).await?;
        let mut results = Vec::new();
        let mut first = None;
        for entry in import::read(&content, self.ports.clock.now())? {
            let result = match entry {
                Ok(login) => self.keep_imported(login, owner, replace).await,
                Err(error) => Err(error),
            };
            if let Ok(Imported { account, kind: CredentialKind::Oauth, outcome }) = &result
                && *outcome != ImportOutcome::Kept
            {
                first.get_or_insert_with(|| account.clone());
            }
            results.push(result);
        }
        // To store a connection selects it, as a login should and a file should not.
        if let Some(first) = first {
            self.lifecycle.vault().select(owner, Some(active.as_ref().unwrap_or(&first))).await?;
        }
        Ok(results)
    }

    async fn keep_imported(&self, login: ImportedLogin, owner: &Owner, replace: Replace) -> Result<Imported> {
        let account = login.account.for_owner(owner.clone());
        self.config.check_known(&account.provider)?;
        let (kind, outcome) = match login.credential {
            ImportedCredential::Connection(found) => {
                let identity = Identity { login: found.account_login, id: found.account_id, base_url: None };
                let kept = self.lifecycle.keep_import(&account, found.tokens, identity, replace);
                (CredentialKind::Oauth, kept.await?)
            }
            ImportedCredential::Static(kind, secret) => {
                let outcome = match self.set_key(&account, kind, secret, replace).await? {
                    KeyOutcome::Kept(_) => ImportOutcome::Kept,
                    KeyOutcome::Replaced => ImportOutcome::Replaced,
                    KeyOutcome::Stored => ImportOutcome::Stored,
                };
                (CredentialKind::from(kind), outcome)
            }
        };
        Ok(Imported { account, kind, outcome })
    }
}

/// The content of the file, wiped when it is dropped.
fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let refused = |problem: String| {
        Error::new(ErrorCode::Usage, format!("{} {problem}", path.display()))
            .with_advice("Name a file that another tool has kept logins in.")
    };
    let unreadable = |error: std::io::Error| refused(format!("cannot be read: {}", error.kind()));
    let file = std::fs::File::open(path).map_err(unreadable)?;
    // Room for all of it at once: a buffer that grows leaves unwiped copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(MOST + 1));
    file.take(MOST as u64 + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() > MOST {
        return Err(refused("is larger than 1 MiB".to_owned()));
    }
    Ok(content)
}

const MOST: usize = 1024 * 1024;
