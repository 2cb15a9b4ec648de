//! Tables that grow without making everybody wait.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    ops::Index,
    sync::Arc,
};

use foldhash::fast::RandomState;
use hashbrown::{HashTable, hash_table::Entry};

/// Parts of a table. One that is full is moved to twice the room in one go, under the lock of its store: at a million
/// rows some 50 ms for a table of one piece, less than 1 ms for a part of it.
const PARTS: usize = 64;

/// A table of so few rows is one part: those that a batch touches would be a part each otherwise, with memory of its own.
const FEW: usize = 4_096;

/// What carries its own identity, so that a table need not hold it twice.
pub(crate) trait Row {
    type Id: Eq + Hash;

    fn id(&self) -> &Self::Id;
}

impl<R: Row> Row for Arc<R> {
    type Id = R::Id;

    fn id(&self) -> &R::Id {
        R::id(self)
    }
}

impl<K: Eq + Hash, V> Row for (K, V) {
    type Id = K;

    fn id(&self) -> &K {
        &self.0
    }
}

/// Rows by identity, in parts that grow one by one. Identities are ids, so the cheap hash is enough.
#[derive(Clone)]
pub(crate) struct Table<R> {
    /// None until the first row, one while there are few.
    parts: Vec<HashTable<R>>,
    hasher: RandomState,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { parts: Vec::new(), hasher: RandomState::default() }
    }
}

impl<R: Row> Table<R> {
    /// The hash of an identity, and its part, chosen by bits that the part itself does not use.
    fn place(&self, id: &R::Id) -> (u64, usize) {
        let hash = self.hasher.hash_one(id);
        (hash, usize::try_from(hash >> 32).unwrap_or(0) & self.parts.len().saturating_sub(1))
    }

    pub(crate) fn get(&self, id: &R::Id) -> Option<&R> {
        let (hash, part) = self.place(id);
        self.parts.get(part)?.find(hash, |row| row.id() == id)
    }

    /// The row, which must keep its identity.
    pub(crate) fn get_mut(&mut self, id: &R::Id) -> Option<&mut R> {
        let (hash, part) = self.place(id);
        self.parts.get_mut(part)?.find_mut(hash, |row| row.id() == id)
    }

    pub(crate) fn contains(&self, id: &R::Id) -> bool {
        self.get(id).is_some()
    }

    fn entry(&mut self, id: &R::Id) -> Entry<'_, R> {
        match self.parts.len() {
            0 => self.parts.push(HashTable::new()),
            1 if self.parts[0].len() >= FEW => self.divide(),
            _ => {}
        }
        let (hash, part) = self.place(id);
        let Self { parts, hasher } = self;
        parts[part].entry(hash, |row| row.id() == id, |row| hasher.hash_one(row.id()))
    }

    fn divide(&mut self) {
        let few = std::mem::take(&mut self.parts);
        self.parts.resize_with(PARTS, HashTable::new);
        for row in few.into_iter().flatten() {
            let (hash, part) = self.place(row.id());
            let Self { parts, hasher } = self;
            parts[part].insert_unique(hash, row, |row| hasher.hash_one(row.id()));
        }
    }

    /// Puts a row in, and gives the one that had its place.
    pub(crate) fn insert(&mut self, row: R) -> Option<R> {
        match self.entry(row.id()) {
            Entry::Occupied(mut old) => Some(std::mem::replace(old.get_mut(), row)),
            Entry::Vacant(free) => {
                free.insert(row);
                None
            }
        }
    }

    pub(crate) fn remove(&mut self, id: &R::Id) -> Option<R> {
        let (hash, part) = self.place(id);
        let found = self.parts.get_mut(part)?.find_entry(hash, |row| row.id() == id).ok()?;
        Some(found.remove().0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &R> {
        self.parts.iter().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(HashTable::len).sum()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.parts.iter().map(HashTable::capacity).sum()
    }
}

impl<R: Row> Extend<R> for Table<R> {
    fn extend<T: IntoIterator<Item = R>>(&mut self, rows: T) {
        for row in rows {
            self.insert(row);
        }
    }
}

impl<R: Row> Index<&R::Id> for Table<R> {
    type Output = R;

    fn index(&self, id: &R::Id) -> &R {
        self.get(id).expect("the row is there")
    }
}

impl<R: Row + PartialEq> PartialEq for Table<R> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|row| other.get(row.id()) == Some(row))
    }
}

impl<R: Row + Eq> Eq for Table<R> {}

impl<R: Row + fmt::Debug> fmt::Debug for Table<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A table of what carries no identity.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Map<K: Eq + Hash, V>(Table<(K, V)>);

impl<K: Eq + Hash, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(Table::default())
    }
}

impl<K: Eq + Hash, V> Map<K, V> {
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key).map(|(_, value)| value)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert((key, value)).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key).map(|(_, value)| value)
    }

    /// The value, made if there is none.
    pub(crate) fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        match self.0.entry(&key) {
            Entry::Occupied(found) => &mut found.into_mut().1,
            Entry::Vacant(free) => &mut free.insert((key, make())).into_mut().1,
        }
    }

    pub(crate) fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.get_or_insert_with(key, V::default)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<K: Eq + Hash, V> Extend<(K, V)> for Map<K, V> {
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, rows: T) {
        self.0.extend(rows);
    }
}

impl<K: Eq + Hash, V> Index<&K> for Map<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        &self.0[key].1
    }
}

impl<K: Eq + Hash + fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_map() {
        let mut map = Map::default();
        assert_eq!(map.get_mut(&1), None);
        assert_eq!(map.len(), 0);
        assert_eq!((map.remove(&1), map.get(&1)), (None, None));
        map.extend((0..1_000).map(|n| (n, n)));
        assert_eq!(map.insert(7, 8), Some(7));
        *map.get_or_default(8) += 1;
        *map.get_or_insert_with(1_001, || 0) += 1;
        assert_eq!(map.remove(&1_001), Some(1));
        assert_eq!((map[&7], map[&8], map.get(&1_000), map.len()), (8, 9, None, 1_000));
        assert_eq!(map.remove(&7), Some(8));
        let mut keys: Vec<i32> = map.iter().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        assert!(keys.into_iter().eq((0..1_000).filter(|n| *n != 7)));
        for n in 0..1_000 {
            map.remove(&n);
        }
        assert_eq!(map, Map::default());
    }

    #[test]
    fn a_row_is_found_by_the_identity_it_carries() {
        let mut table = Table::default();
        assert_eq!((table.insert((1, "one")), table.insert((2, "two"))), (None, None));
        assert_eq!(table.insert((1, "uno")), Some((1, "one")));
        assert_eq!((table.get(&1), table.get(&3), table.contains(&2)), (Some(&(1, "uno")), None, true));
        assert_eq!((table.remove(&2), table.remove(&2), table.len()), (Some((2, "two")), None, 1));
    }

    #[test]
    fn maps_are_equal_by_their_rows() {
        let of = |rows: &[(u64, u64)]| {
            let mut map = Map::default();
            map.extend(rows.iter().copied());
            map
        };
        assert_eq!(of(&[(1, 1), (2, 2)]), of(&[(2, 2), (1, 1)]));
        assert_ne!(of(&[(1, 1), (2, 2)]), of(&[(1, 1), (2, 3)]));
        assert_ne!(of(&[(1, 1), (2, 2)]), of(&[(1, 1)]));
        assert_ne!(of(&[(1, 1)]), of(&[(1, 1), (2, 2)]));
    }

    #[test]
    fn few_rows_are_one_part_and_are_found_when_more_come() {
        let mut table = Table::default();
        table.extend((0..FEW).map(|n| (n, n)));
        assert_eq!(table.parts.len(), 1);
        table.insert((FEW, FEW));
        assert_eq!((table.parts.len(), table.len(), table.iter().count()), (PARTS, FEW + 1, FEW + 1));
        assert!((0..=FEW).all(|n| table.get(&n) == Some(&(n, n))));
    }

    #[test]
    fn no_part_is_left_empty_by_ids_that_count_up() {
        let mut map = Map::default();
        map.extend((0..10_000_u128).map(|n| (uuid::Uuid::from_u128(n), n)));
        let (least, most) =
            map.0.parts.iter().map(HashTable::len).fold((usize::MAX, 0), |(a, b), n| (a.min(n), b.max(n)));
        assert!(least > 80 && most < 260, "{least} to {most}");
    }
}
