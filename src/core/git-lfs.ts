/** Git LFS: a repository that was cloned without it has a small text file in place of each large one. */
import { decodeUtf8 } from './utf8.ts';

const START = 'version https://git-lfs';

/** Names a pointer of Git LFS in place of a file. Throws `Failure`. */
export function refuseGitLfs(file: Uint8Array, name: string, Failure: new (message: string) => Error): void {
  if (decodeUtf8(file.subarray(0, START.length)) !== START) return;
  throw new Failure(
    `${name}: expected the file itself, got a pointer of Git LFS. Fetch the file by 'git lfs pull', or download it.`,
  );
}
