/**
 * The embedded document store: what App Services apps have in MongoDB elsewhere, in one SQLite file beside the others. Documents are BSON as it is; MongoDB's language is
 * mingo's. Several processes may share the file.
 */
import { join } from 'node:path'
import { assertNames } from '#src/domain/documents/names.ts'
import type { DataSource } from '#src/domain/documents/store.ts'
import { Database } from '../database.ts'
import { prepareDirectory, prepareFile } from '../directory.ts'
import { assertReadable, migrate } from '../migrations/migrate.ts'
import { whileBusy } from '../patience.ts'
import { createChanges } from './changes.ts'
import { createCollection } from './collection.ts'

const steps = [
  `
  CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (collection, id)
  ) STRICT;

  CREATE TABLE indexes (
    collection TEXT NOT NULL,
    field TEXT NOT NULL,
    PRIMARY KEY (collection, field)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE entries (
    collection TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    PRIMARY KEY (collection, field, value, document)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX entries_by_document ON entries (document);

  CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  `,
]

/** The document store in `directory`, made when it is missing. @throws CannotStart */
export async function openEmbedded(directory: string): Promise<DataSource> {
  prepareDirectory(directory)
  const path = join(directory, 'documents.db')
  prepareFile(path)
  const database = new Database(path)
  try {
    await assertReadable(database, steps)
    await whileBusy(() => database.configure('FULL'))
    await migrate(database, steps)
  } catch (error) {
    await database.close()
    throw error
  }
  const changes = createChanges(database)
  /** Fields with an index, by collection, once there are any. */
  const known = new Map<string, readonly string[]>()
  return {
    description: `documents in ${path}`,
    collection(name, collection) {
      assertNames(name, collection)
      return createCollection({ database, changes, known }, name, collection)
    },
    async close() {
      changes.stop()
      await database.close()
    },
  }
}
