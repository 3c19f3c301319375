package sync

import (
	"context"
	"slices"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A diff is what must change so that our rows become what is wanted: numbers and row ids, the
// rest stays in staging and in the rows. It is what a plan shows and what is applied.
type diff struct {
	had sizes // before

	createUsers []num
	changeUsers []num // their rows are in the index
	deactivate  []models.ID
	removeUsers []models.ID
	leftUsers   []models.ID // inactive already: noted only
	backUsers   []models.ID // noted only

	createGroups []int32
	changeGroups []int32
	emptied      []models.ID
	removeGroups []models.ID
	backGroups   []models.ID

	addMembers     []uint64 // group<<32 | user, of this run's numbers
	removeMembers  []store.Pair
	addChildren    []uint64 // parent<<32 | child
	removeChildren []store.Pair

	vanished []string // ids of some users that the source no longer lists

	goesOff []models.ID // rows of changeUsers that the source says are inactive now

	users map[models.ID]*models.User // rows that a delta's comparison has read
}

// usersWith gives users as they were compared; those that the comparison didn't keep are read.
func (d *diff) usersWith(ctx context.Context, r *store.Reads, ids []models.ID) (map[models.ID]*models.User, error) {
	missing := slices.DeleteFunc(unique(ids), func(id models.ID) bool { return d.users[id] != nil })
	users, err := r.UsersWithIDs(ctx, missing)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if u := d.users[id]; u != nil {
			users[id] = u
		}
	}
	return users, nil
}

// rows tells how many rows the diff writes.
func (d *diff) rows() int {
	return len(d.createUsers) + len(d.changeUsers) + len(d.deactivate) + len(d.removeUsers) +
		len(d.createGroups) + len(d.changeGroups) + len(d.removeGroups) +
		len(d.addMembers) + len(d.removeMembers) + len(d.addChildren) + len(d.removeChildren)
}

// empty tells whether nobody would see a difference.
func (d *diff) empty() bool { return d.rows()+len(d.emptied) == 0 }

// takes tells whether the diff takes something away.
func (d *diff) takes() bool {
	return len(d.deactivate)+len(d.goesOff)+len(d.removeUsers)+len(d.emptied)+len(d.removeGroups)+len(d.removeMembers)+len(d.removeChildren) > 0
}

// notes tells whether there is something to remember, though nobody sees a difference.
func (d *diff) notes() bool {
	return len(d.leftUsers)+len(d.backUsers)+len(d.backGroups)+len(d.emptied) > 0
}

// count fills in a run's counts.
func (d *diff) count(r *models.Run) {
	r.Users = models.UserCounts{Created: len(d.createUsers), Changed: len(d.changeUsers) - len(d.goesOff),
		Deactivated: len(d.deactivate) + len(d.goesOff), Removed: len(d.removeUsers)}
	r.Groups = models.GroupCounts{Created: len(d.createGroups), Changed: len(d.changeGroups), Emptied: len(d.emptied), Removed: len(d.removeGroups)}
	r.Memberships = models.MemberCounts{Added: len(d.addMembers) + len(d.addChildren), Removed: len(d.removeMembers) + len(d.removeChildren)}
}
