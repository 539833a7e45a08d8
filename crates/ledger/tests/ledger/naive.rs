//! RFC 6962 section 2.1 word by word, on all leaves: slow, and plainly right.

use docket_ledger::TreeHash;

pub fn leaves(count: usize) -> Vec<TreeHash> {
    (0..count).map(|n| TreeHash::of_leaf(&entry(n))).collect()
}

pub fn entry(n: usize) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

pub fn root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => TreeHash::of_empty_tree(),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            TreeHash::of_node(&root(left), &root(right))
        }
    }
}

pub fn path(index: usize, leaves: &[TreeHash]) -> Vec<TreeHash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) = if index < k {
        (path(index, left), root(right))
    } else {
        (path(index - k, right), root(left))
    };
    proof.push(sibling);
    proof
}

pub fn consistency(old: usize, leaves: &[TreeHash], whole: bool) -> Vec<TreeHash> {
    if old == leaves.len() {
        return if whole {
            Vec::new()
        } else {
            vec![root(leaves)]
        };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) = if old <= k {
        (consistency(old, left, whole), root(right))
    } else {
        (consistency(old - k, right, false), root(left))
    };
    proof.push(sibling);
    proof
}
