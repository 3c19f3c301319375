package password

// tiny keeps argon2id quick under the race detector.
var tiny = Params{Memory: 64, Time: 1, Threads: 1}

// A vector is a credential that another program wrote, with the password that opens it.
type vector struct {
	name       string
	encoded    string
	password   string
	needsASlot bool
}

var vectors = []vector{
	// The argon2 reference implementation's own tests, salt "somesalt".
	{"argon2id", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password", true},
	{"argon2id, two lanes", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password", true},
	{"argon2id, OpenLDAP's marker", "{ARGON2}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password", true},

	// passlib's documentation of atlassian_pbkdf2_sha1.
	{"PKCS5S2", "{PKCS5S2}DQIXJU038u4P7FdsuFTY/+35bm41kfjZa57UrdxHp2Mu3qF2uy+ooD+jF5t1tb8J", "password", true},
	// Python's hashlib, salt 00…0f.
	{"PKCS5S2, another salt", "{PKCS5S2}AAECAwQFBgcICQoLDA0OD44+L3PD62OQqBq7yBAcA0OwF6ev//tatl4TTwkJ3Mos", "password", true},

	// Python's hashlib, salt 01…08.
	{"SSHA", "{SSHA}N+vXsN2ny8mTqd6ZYuHcJVHvE00BAgMEBQYHCA==", "password", false},
	{"SSHA, lower case", "{ssha}N+vXsN2ny8mTqd6ZYuHcJVHvE00BAgMEBQYHCA==", "password", false},
	{"SSHA256", "{SSHA256}JDUXfxQQU2uq0qzBVcD5R4PVg4RXPLD3IVdENgYoXT8BAgMEBQYHCA==", "password", false},
	{"SSHA512", "{SSHA512}cwNVhOuAAA1oPn+CL+wS1f0tPZracezN0yYU0xqYornXQBQ9qBELs44UJoU10/Tk7xHjUDA1r9zldrcPUqHBNAECAwQFBgcI", "password", false},
	{"SHA", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "password", false},
	{"SHA of another", "{SHA}nU4eI71bcnBGqeO0t9tXvY1u5oQ=", "pass", false},
	{"atlassian-sha1", "x61Ey612Kl2gpFL56FT9weDnpSo4AV8j8+qx2AuTHdRyY036xxzTTrw10Wq3+4qQyB+XURPWx1ONxp3Y3pB37A==", "admin", false},

	// libxcrypt; the letters after the 2 name fixes that ASCII does not need.
	{"bcrypt a", "$2a$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm", "password", true},
	{"bcrypt b", "$2b$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm", "password", true},
	{"bcrypt y", "$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm", "password", true},
	// jBCrypt's tests, behind a marker in either case.
	{"bcrypt, lower-case marker", "{bcrypt}$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe", "a", true},
	{"bcrypt, upper-case marker", "{BCRYPT}$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", "abc", true},
}
