use std::sync::Arc;

use docket_vault::{
    Area, BesideName, DerivativeName, PutOnce, ShareRequest, StoredForm, StoredOriginal,
    VaultError, VaultKey,
};

use super::Place;
use crate::things::{day, seal_request, upload};

pub async fn what_is_beside_is_written_once(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    let durable = upload(&vault, id, b"x").await.expect("upload");
    let sealed = vault.seal(&durable.state, &seal_request(id, b"x")).await;
    let (key, name) = (sealed.expect("seal").key, BesideName::ReceiptStored);
    assert_eq!(vault.get_beside(&key, name).await.expect("none"), None);
    for _ in 0..2 {
        let put = vault.put_beside(&key, name, b"first").await;
        assert_eq!(put.expect("put"), PutOnce::Stored);
    }
    let vault = place.vault().await;
    let put = vault.put_beside(&key, name, b"second").await.expect("put");
    assert_eq!(put, PutOnce::Existing(b"first".to_vec()));
    let there = vault.get_beside(&key, name).await.expect("get");
    assert_eq!(there, Some(b"first".to_vec()));
    let nowhere = VaultKey::new(Area::Originals, day(), place.ids.next());
    let put = vault.put_beside(&nowhere, name, b"x").await;
    assert!(matches!(put, Err(VaultError::NotFound(_))), "{put:?}");
}

pub async fn derivatives_are_replaceable(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    let name: DerivativeName = "poster.jpg".parse().expect("name");
    let get = async || vault.get_derivative(id, day(), &name).await.expect("get");
    assert_eq!(get().await, None);
    for content in [&b"one"[..], b"two"] {
        vault
            .put_derivative(id, day(), &name, content)
            .await
            .expect("put");
        assert_eq!(get().await.as_deref(), Some(content));
    }
    vault.delete_derivatives(id, day()).await.expect("delete");
    vault
        .delete_derivatives(id, day())
        .await
        .expect("nothing to do");
    assert_eq!(get().await, None);
    vault
        .put_derivative(id, day(), &name, b"three")
        .await
        .expect("put");
    assert_eq!(get().await.as_deref(), Some(&b"three"[..]));
}

pub async fn log_files_are_created_once(place: &Place) {
    let vault = place.vault().await;
    let path = format!("once/{}/x001/234", place.ids.next());
    assert_eq!(vault.log_read(&path).await.expect("none"), None);
    vault.log_create(&path, b"tile").await.expect("create");
    let vault = place.vault().await;
    vault
        .log_create(&path, b"tile")
        .await
        .expect("the same again");
    let other = vault.log_create(&path, b"other").await;
    assert!(matches!(other, Err(VaultError::Conflict(_))), "{other:?}");
    let there = vault.log_read(&path).await.expect("read");
    assert_eq!(there, Some(b"tile".to_vec()));
    for bad in ["", "../x", "/x", "a/../b", "a/.tmp"] {
        assert!(vault.log_read(bad).await.is_err(), "{bad}");
        assert!(vault.log_create(bad, b"x").await.is_err(), "{bad}");
    }
}

pub async fn log_files_are_replaced_by_compare_and_swap(place: &Place) {
    let vault = place.vault().await;
    let path = format!("swap/{}", place.ids.next());
    let swap = async |expected: Option<&[u8]>, new: &[u8]| {
        let vault = place.vault().await;
        match vault.log_replace(&path, expected, new).await {
            Ok(()) => true,
            Err(VaultError::Conflict(_)) => false,
            Err(error) => panic!("{error}"),
        }
    };
    assert!(!swap(Some(b"0"), b"1").await, "not there");
    assert!(swap(None, b"1").await);
    assert!(!swap(None, b"2").await, "there");
    assert!(swap(Some(b"1"), b"2").await);
    assert!(!swap(Some(b"1"), b"3").await, "changed");
    let there = vault.log_read(&path).await.expect("read");
    assert_eq!(there, Some(b"2".to_vec()));
}

pub async fn of_many_writers_one_wins(place: &Place) {
    let vault = place.vault().await;
    let path = format!("race/{}", place.ids.next());
    for round in 0..3u8 {
        let expected = (round > 0).then(|| vault.log_read(&path));
        let expected = match expected {
            Some(read) => read.await.expect("read"),
            None => None,
        };
        let writers = (0..8u8).map(|writer| {
            let (vault, path, expected) = (Arc::clone(&vault), path.clone(), expected.clone());
            tokio::spawn(async move {
                let new = [round, writer];
                vault.log_replace(&path, expected.as_deref(), &new).await
            })
        });
        let mut winners = 0;
        for writer in writers.collect::<Vec<_>>() {
            match writer.await.expect("no panic") {
                Ok(()) => winners += 1,
                Err(VaultError::Conflict(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(winners, 1, "round {round}");
    }
}

pub async fn log_files_are_listed_in_pages(place: &Place) {
    let vault = place.vault().await;
    let folder = format!("list/{}", place.ids.next());
    let mut paths: Vec<String> = [
        "tile/0/000.p/5",
        "tile/0/000",
        "tile/0/x001/000",
        "a",
        "tile/1/000",
        "tile-x",
    ]
    .iter()
    .map(|path| format!("{folder}/{path}"))
    .collect();
    for path in &paths {
        vault
            .log_create(path, path.as_bytes())
            .await
            .expect("create");
    }
    paths.sort();
    let list = async |folder: &str, after: Option<&str>, limit| {
        vault.log_list(folder, after, limit).await.expect("list")
    };
    let whole = list(&folder, None, 100).await;
    let mut sorted = whole.clone();
    sorted.sort();
    assert_eq!(sorted, paths, "each exactly once");
    assert_eq!(list(&format!("{folder}/"), None, 3).await, whole[..3]);
    for (index, path) in whole.iter().enumerate() {
        let next = &whole[index + 1..whole.len().min(index + 3)];
        assert_eq!(list(&folder, Some(path), 2).await, next, "after {path}");
    }
    let tiles = list(&format!("{folder}/tile"), None, 100).await;
    assert_eq!(tiles.len(), 4, "a folder, not a prefix: {tiles:?}");
    assert_eq!(
        list(&format!("{folder}/none"), None, 100).await,
        Vec::<String>::new()
    );
    assert!(list("", None, 10_000).await.contains(&paths[0]));
}

pub async fn originals_are_listed_in_pages(place: &Place) {
    let vault = place.vault().await;
    let mut expected = Vec::new();
    for n in 0..5u8 {
        let id = place.ids.next();
        let mut seal = seal_request(id, b"listed");
        seal.created_at = day().plus_seconds(i64::from(n) * 86_400 * 20);
        let mut begin = crate::things::begin_request(id);
        begin.created_at = seal.created_at;
        let mut assembly = vault.begin(&begin).await.expect("begin");
        assembly
            .append(bytes::Bytes::from_static(b"listed"))
            .await
            .expect("append");
        let durable = assembly.flush().await.expect("flush");
        if n == 4 {
            seal.area = Area::Quarantine;
        }
        let key = vault.seal(&durable.state, &seal).await.expect("seal").key;
        expected.push(StoredOriginal {
            id,
            key,
            form: StoredForm::Object { size_bytes: 6 },
        });
    }
    let share = ShareRequest {
        id: place.ids.next(),
        created_at: day(),
        of: expected[0].key.clone(),
        side_file: b"{}".to_vec(),
    };
    let key = vault.share(&share).await.expect("share").key;
    let of = share.of.clone();
    expected.push(StoredOriginal {
        id: share.id,
        key,
        form: StoredForm::SameAs(of),
    });
    vault
        .delete_original(&expected[1].key)
        .await
        .expect("delete");
    expected[1].form = StoredForm::SideFilesOnly;
    expected.sort_by(|a, b| a.key.cmp(&b.key));

    for limit in [1, 2, 1000] {
        let mut found = Vec::new();
        loop {
            let after = found.last().map(|last: &StoredOriginal| last.key.clone());
            let page = vault.originals(after.as_ref(), limit).await.expect("page");
            assert!(page.len() <= limit);
            let end = page.len() < limit;
            found.extend(page);
            if end {
                break;
            }
        }
        assert!(found.is_sorted_by(|a, b| a.key < b.key), "limit {limit}");
        for wanted in &expected {
            assert!(found.contains(wanted), "{wanted:?} with limit {limit}");
        }
    }
}
