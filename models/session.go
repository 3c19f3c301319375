package models

// A Session is a single sign-on token and whom it stands for. The token itself is not kept,
// only its hash, and a sealed copy: a new login with the same factors answers the same token,
// as Crowd does.
type Session struct {
	ID         ID `gorm:"primaryKey"`
	UserID     ID
	TokenHash  []byte // SHA-256, unique
	Sealed     []byte // the token, sealed with the server's key
	Factors    []byte // SHA-256 over the validation factors; empty: made without any
	Unbound    bool   // validates with any factors: made by our own pages
	Lifetime   int64  // milliseconds that it lives without being used
	CreatedAt  Time   `gorm:"autoCreateTime:false"`
	LastUsedAt Time
	ExpiresAt  Time // LastUsedAt plus Lifetime
}

// A Delay counts the failed attempts of one account through one application. It is common
// to all replicas.
type Delay struct {
	ApplicationID ID `gorm:"primaryKey"`
	UserID        ID `gorm:"primaryKey"`
	Failures      int
	LastAt        Time
}
