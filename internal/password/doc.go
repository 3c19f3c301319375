// Package password turns passwords into hashes and checks them, few at a time.
//
// A credential is the stored form of a password. Its scheme is told by its marker:
//
//	$argon2id$                           ours: what Hash writes
//	{PKCS5S2}                            Crowd's default, "atlassian-security"
//	{SSHA} {SSHA256} {SSHA512} {SHA}     LDAP servers, older Crowd
//	88 characters of base64              Crowd's "atlassian-sha1", which is SHA-512
//	$2a$ $2b$ $2y$, {BCRYPT} before it   bcrypt
//	X                                    None: nobody can log in with it
//
// Everything but ours is here so that people who come from another product keep their
// password: Check answers whether the password is right and whether to store a new
// hash in the place of the old one. MD5, DES and plain text are never accepted;
// Accepts says so before such a credential is stored.
//
//	Check → too long? → None? → parse, within bounds → slow? wait for a slot → compare
//	                                                                    ↓ no
//	                                     the same password in Unicode's composed form
//
// argon2id, bcrypt and PBKDF2 are slow by design, and argon2id fills 19 MiB each time.
// A Hasher therefore lets about as many run at once as there are cores, lets a bounded
// number wait for a bounded time, and refuses the rest with ErrBusy. It also sees to
// it that finished hashes do not pile up in memory (see garbage). A process has one.
//
// A Policy tells which new passwords a directory takes. Counting failed attempts, and
// what a person may do after a right password, is the caller's question.
package password
