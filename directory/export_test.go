package directory

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
)

// KindMirror is a kind for tests: a copy of an outside directory, with a secret setting.
const KindMirror models.Kind = "mirror"

func init() {
	kinds[KindMirror] = kind{
		writes: map[models.Writer]part{
			models.ByOperator: nothing,
			models.ByLogin:    users,
			models.BySync:     everything,
		},
		settings: []Setting{
			{Name: "client-id", Default: "rollcall", Check: text},
			{Name: "client-secret", Secret: true, Check: text},
		},
	}
}

// UpgradeHash is upgradeHash: what a login does after it compared with an old hash.
func (s *Service) UpgradeHash(ctx context.Context, dir *models.Directory, u *models.User, old, secret models.Secret) {
	s.upgradeHash(ctx, dir, u, old, secret)
}
