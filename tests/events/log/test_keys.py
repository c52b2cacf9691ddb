"""What a key store promises, asked of both adapters alike, and what wrapping adds to it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag

from events.log.keys import (
    AGENCY_SUBJECT,
    Cache,
    DataKey,
    Kek,
    KeyDestroyed,
    Keyring,
    KeyStore,
    UnknownKek,
    development_kek,
    new_key,
    subject_of,
)
from events.log.keys_postgres import PostgresKeys
from events.log.migrate import migrate

OLD, NEW = development_kek("old"), development_kek("new")


class TestAKeyStore:
    async def test_makes_a_key_once(self, keys: KeyStore, agency: str) -> None:
        key = await keys.get_or_create(agency, "agency")
        assert await keys.get_or_create(agency, "agency") == key
        assert await keys.find(agency, "agency") == key
        assert await keys.find_by_id(agency, key.id) == key

    async def test_keeps_subjects_and_agencies_apart(self, keys: KeyStore, agency: str) -> None:
        key = await keys.get_or_create(agency, "one")
        assert await keys.get_or_create(agency, "two") != key
        assert await keys.find(agency + "-b", "one") is None
        assert await keys.find_by_id(agency + "-b", key.id) is None

    async def test_finds_nothing_that_was_never_made(self, keys: KeyStore, agency: str) -> None:
        assert await keys.find(agency, "one") is None
        assert await keys.find_by_id(agency, uuid4()) is None

    async def test_never_gives_a_destroyed_key_again(self, keys: KeyStore, agency: str) -> None:
        key = await keys.get_or_create(agency, "one")
        await keys.destroy(agency, "one")
        await keys.destroy(agency, "one")
        assert await keys.find(agency, "one") is None
        assert await keys.find_by_id(agency, key.id) is None
        with pytest.raises(KeyDestroyed):
            await keys.get_or_create(agency, "one")

    async def test_destroys_also_what_was_not_made_yet(self, keys: KeyStore, agency: str) -> None:
        await keys.destroy(agency, "one")
        with pytest.raises(KeyDestroyed):
            await keys.get_or_create(agency, "one")


@pytest.mark.postgres
class TestRotation:
    async def test_only_rewraps(self, empty_database: Callable[[], str], agency: str) -> None:
        database = empty_database()
        await migrate(database)
        before, between = PostgresKeys(database, Keyring([OLD])), PostgresKeys(database, Keyring([NEW, OLD]))
        after = PostgresKeys(database, Keyring([NEW]))
        key = await before.get_or_create(agency, "one")
        await before.destroy(agency, "gone")
        with pytest.raises(UnknownKek, match="development-old"):
            await after.find(agency, "one")
        assert await between.find(agency, "one") == key
        assert await between.rewrap() == 1
        assert await between.rewrap() == 0
        assert await after.find(agency, "one") == key
        for keys in (before, between, after):
            await keys.close()

    async def test_leaves_no_secret_in_the_table(
        self, postgres_keys: PostgresKeys, superuser: Any, agency: str
    ) -> None:
        key = await postgres_keys.get_or_create(agency, "one")
        row = await superuser.fetchrow("SELECT * FROM rapport.keys WHERE agency = $1", agency)
        assert key.secret not in row["wrapped"]
        await postgres_keys.destroy(agency, "one")
        row = await superuser.fetchrow("SELECT * FROM rapport.keys WHERE agency = $1", agency)
        assert (row["wrapped"], row["kek_id"]) == (None, None)
        assert row["destroyed_at"] is not None


@pytest.mark.postgres
class TestAKeptKey:
    async def test_is_one_by_its_subject_and_by_its_id(
        self, postgres_keys: PostgresKeys, agency: str
    ) -> None:
        """Each holds a cipher: kept twice, it would cost twice, and one more question to the database."""
        key = await postgres_keys.get_or_create(agency, "engagement:e-1")
        assert await postgres_keys.find_by_id(agency, key.id) is key
        assert await postgres_keys.find(agency, "engagement:e-1") is key


class TestKeyring:
    def test_binds_a_key_to_its_owner(self) -> None:
        """A row copied to another person does not open."""
        ring, key = Keyring([NEW]), new_key()
        wrapped = ring.wrap("agency", "one", key)
        assert ring.unwrap("agency", "one", key.id, NEW.id, wrapped) == key
        with pytest.raises(InvalidTag):
            ring.unwrap("agency", "two", key.id, NEW.id, wrapped)

    @pytest.mark.parametrize("keks", [[], [Kek("short", b"x")], [NEW, NEW]])
    def test_refuses_what_cannot_work(self, keks: list[Kek]) -> None:
        with pytest.raises(ValueError, match="key-encryption key"):
            Keyring(keks)


class TestADataKey:
    def test_never_prints_its_secret(self) -> None:
        key = DataKey(uuid4(), b"hush" * 8)
        assert "hush" not in repr(key)
        assert "hush" not in repr(Kek("id", b"hush" * 8))


class TestCache:
    def test_forgets_after_a_while_and_when_full(self) -> None:
        now = [0.0]
        cache: Cache[str, int] = Cache(2, 10.0, clock=lambda: now[0])
        for number, name in enumerate("abc"):
            cache.put(name, number)
        assert [cache.get(name) for name in "abc"] == [None, 1, 2]
        now[0] = 10.0
        assert cache.get("c") is None


class TestSubjectOf:
    @pytest.mark.parametrize("stream", ["engagement:e-1", "candidate:c-1", "job-order:j-1"])
    def test_gives_a_stream_a_key_of_its_own(self, stream: str) -> None:
        assert subject_of(stream) == stream

    def test_gives_the_agencys_stream_the_agencys(self) -> None:
        assert subject_of("agency:a-1") == AGENCY_SUBJECT
