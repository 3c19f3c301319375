package models

// ID names a row. It is unique per kind of row, and never used again.
type ID int64

// Kind says what a directory is: who may write it and who checks its passwords
// (package directory, kinds.go).
type Kind string

// The kinds of directory that exist now.
const (
	KindInternal Kind = "internal" // kept here; everything can be written
	KindEntra    Kind = "entra"    // kept equal to Microsoft Entra ID
	KindGoogle   Kind = "google"   // kept equal to Google Workspace
	KindOkta     Kind = "okta"     // kept equal to Okta
)

// A Directory is a set of users and groups with one owner.
type Directory struct {
	ID          ID `gorm:"primaryKey"`
	Name        string
	Key         string
	Kind        Kind
	Description string
	Active      bool
	Permissions Permissions // what it allows at all; a mapping must allow it too
	CreatedAt   Time        `gorm:"autoCreateTime:false"`
	UpdatedAt   Time        `gorm:"autoUpdateTime:false"`

	Settings map[string]string `gorm:"-"` // by name; secrets opened; filled by the store
}

// A DirectorySetting is one setting of a directory as it is stored; a secret is sealed.
type DirectorySetting struct {
	DirectoryID ID     `gorm:"primaryKey"`
	Name        string `gorm:"primaryKey"`
	Value       string
	Sealed      bool
}
